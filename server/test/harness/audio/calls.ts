import type { Interval } from "#/audio/listen.ts";

import { sampleRate, spoken, type UtteranceName, utterances } from "./utterances.ts";

export type Role = "agent" | "customer";

/** A turn as providers and transcripts tell it, and as it truly is: nothing is said before its start or after its end. */
export type TrueTurn = {
  readonly role: Role;
  readonly start_ms: number;
  readonly end_ms: number;
  readonly text: string;
};

/** A call of synthetic voices of which everything is known. */
export type SpokenCall = {
  readonly durationMs: number;
  readonly turns: readonly TrueTurn[];
  /** 16-bit samples of each side alone. */
  readonly sides: Readonly<Record<Role, Int16Array>>;
};

/** What is said, and when it begins. Whose it is says the name. */
type Script = { readonly lengthMs: number; readonly says: readonly (readonly [atMs: number, name: UtteranceName])[] };

/** The customer begins while the agent still speaks, once. */
export const bilingualScript: Script = {
  lengthMs: 13_000,
  says: [
    [200, "en-agent-hello"],
    [2_200, "en-agent-help"],
    [3_700, "en-customer-visit"],
    [5_600, "en-agent-city"],
    [7_400, "he-customer-city"],
    [9_600, "he-agent-bye"],
    [11_500, "en-customer-bye"],
  ],
};

export const englishScript: Script = {
  lengthMs: 13_500,
  says: [
    [300, "en-agent-hello"],
    [2_300, "en-agent-help"],
    [3_900, "en-customer-visit"],
    [6_100, "en-agent-city"],
    [8_500, "en-customer-haifa"],
    [11_400, "en-customer-bye"],
  ],
};

export const hebrewScript: Script = {
  lengthMs: 14_000,
  says: [
    [300, "he-agent-hello"],
    [3_300, "he-agent-help"],
    [4_500, "he-customer-plumber"],
    [8_000, "he-customer-city"],
    [11_600, "he-agent-bye"],
  ],
};

/** Lays the utterances out in time, each side on a channel of its own. */
export function layOut({ lengthMs, says }: Script, voice: (name: UtteranceName) => Int16Array = spoken): SpokenCall {
  const at = (ms: number) => (ms * sampleRate) / 1000;
  const sides = { agent: new Int16Array(at(lengthMs)), customer: new Int16Array(at(lengthMs)) };
  const turns = says.map(([startMs, name]): TrueTurn => {
    const role = name.includes("agent") ? "agent" : "customer";
    const samples = voice(name);
    sides[role].set(samples, at(startMs));
    const endMs = startMs + Math.round((samples.length * 1000) / sampleRate);
    return { role, start_ms: startMs, end_ms: endMs, text: utterances[name].text };
  });
  return { durationMs: lengthMs, turns, sides };
}

/** When one side speaks, or with no role either. */
export function trueSpeech({ turns }: SpokenCall, role?: Role): Interval[] {
  return turns.filter((turn) => !role || turn.role === role).map((turn) => [turn.start_ms, turn.end_ms]);
}
