import { readFileSync } from "node:fs";

/** Text, or a way to make a long one. */
export type Text =
  | string
  | { readonly gen: "repeat"; readonly s: string; readonly n: number; readonly pre?: string; readonly post?: string };

export type Body =
  | { readonly json: unknown }
  | { readonly text: string }
  | { readonly b64: string }
  | { readonly form: Readonly<Record<string, string>> }
  | (Exclude<Text, string> & { readonly gen: "repeat" })
  | { readonly gen: "nest"; readonly pre: string; readonly n: number; readonly post: string }
  | { readonly gen: "keys"; readonly pre: string; readonly n: number; readonly post: string }
  | { readonly gen: "gzip-fill"; readonly mb: number }
  | { readonly gen: "random-id"; readonly pre: string; readonly n: number; readonly post: string };

/** How a request is signed; `mutate` names what is wrong with it. */
export type Signing =
  | { readonly scheme: "literal"; readonly header: string; readonly value: Text }
  | {
      readonly scheme: "livekit" | "livekit-jwt" | "vapi" | "elevenlabs" | "twilio";
      readonly secret?: string;
      readonly mutate?: string;
      /** ElevenLabs: how long ago it was signed. */
      readonly ageSec?: number;
    };

/** A token of a user; `exp` in seconds from now, null: none. */
export type Token = {
  readonly sub: string;
  readonly exp?: number | null;
  readonly role?: string;
  readonly secret?: string;
  readonly mutate?: "alg-none" | "strip-sig";
  readonly header?: Readonly<Record<string, unknown>>;
};

export type Expectation = {
  readonly status?: number | readonly number[];
  readonly no5xx?: boolean;
  readonly maxMs?: number;
  readonly alive?: boolean;
  readonly noLeak?: boolean;
  readonly notStored?: boolean;
  readonly unchanged?: string;
  readonly orReset?: boolean;
  readonly maxRssMb?: number;
  readonly json?: Readonly<Record<string, unknown>>;
  readonly jsonNot?: Readonly<Record<string, unknown>>;
  readonly notContains?: string;
  readonly exactlyOne?: { readonly not: string };
  readonly responses?: number;
  readonly closesWithinMs?: number;
};

export type Probe = { readonly call: string; readonly status: string };

export type Request = {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, Text>>;
  readonly sign?: Signing | null;
  readonly jwt?: Token | null;
  readonly body?: Body | null;
};

type Common = { readonly id: string; readonly group: string; readonly title: string; readonly expect: Expectation };

export type HttpCase = Common &
  Request & {
    readonly kind: "http";
    readonly concurrency?: number;
    readonly then?: readonly (Request & { readonly expect?: Expectation; readonly probe?: Probe })[];
    readonly probe?: Probe;
  };

/** Bytes on a socket. `slow`: the server takes its time to give up. */
export type RawCase = Common & { readonly kind: "raw"; readonly raw: string; readonly slow?: boolean };

export type Variables = Readonly<Record<string, string>>;
export type Suite = { readonly vars: Variables; readonly cases: readonly (HttpCase | RawCase)[] };

export const suite = JSON.parse(readFileSync(new URL("./cases.json", import.meta.url), "utf8")) as Suite;
