import { z } from "zod";

/** The kept wordings of what a language model is told. */
export const PromptVersion = z.enum(["1", "2", "3"]);
export type PromptVersion = z.infer<typeof PromptVersion>;

export const newestPrompt: PromptVersion = "3";
