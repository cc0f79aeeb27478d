import { z } from "zod";

/** What there is to say about a setting besides its type. */
export type About = {
  /** The environment variable; its name in aftercall.yaml is the same in lower case without `AFTERCALL_`. */
  readonly env: string;
  /** Other names of the variable. */
  readonly aliases?: readonly string[];
  readonly about: string;
  readonly example: string;
  /** Secrets can be read from a file (`NAME_FILE`), are refused when empty, and are never shown. */
  readonly isSecret?: true;
  /** Made up in development when it is missing. */
  readonly isGenerated?: true;
  /** What the default is, where it depends on something. */
  readonly defaultText?: string;
};

export const aboutOf: z.core.$ZodRegistry<About> = z.registry<About>();
