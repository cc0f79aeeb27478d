import { FieldDef, Tracker } from "@aftercall/contract/analysis/plan.ts";

import { measureTurns } from "../../server/src/metrics/turns.ts";
import { defaultFields } from "../../server/src/models/builtin/defaults/fields.ts";
import { extractFields } from "../../server/src/models/builtin/extract.ts";
import { summariseExtractively } from "../../server/src/models/builtin/summarise.ts";
import { track } from "../../server/src/models/builtin/track.ts";
import { serve } from "../machine/remote.ts";
import { makeTranscript } from "./transcript.ts";

/** The built-in analyzer in a process of its own: what it takes for one transcript, the first time and when it is warm. */
export type Analyst = {
  analyse(input: { language: "en" | "he"; minutes: number; times: number }): {
    readonly turns: number;
    readonly characters: number;
    /** Milliseconds of processor time, run by run. */
    readonly runs: readonly Parts[];
    /** Of reading the same transcript from JSON, which nobody who analyses it gets around. */
    readonly parseMs: number;
  };
};

export type Parts = Readonly<Record<"metrics" | "summary" | "fields" | "trackers", number>>;

const fields = [
  ...defaultFields(),
  ...(["phone", "email", "date", "money", "order_id"] as const).map((parser) =>
    FieldDef.parse({ name: parser, kind: "parser", parser }),
  ),
  FieldDef.parse({ name: "unit", kind: "regex", regex: "(?i)\\bunit (\\d+)\\b", schema: { type: "integer" } }),
];
const trackers = ["cancel my order", "supervisor", "לבטל", "this call is recorded"].map((phrase, i) =>
  Tracker.parse({ id: `t${i}`, name: phrase, any_of: [phrase], negate: i === 3 }),
);
const around = { startedAtMs: Date.parse("2026-05-12T08:00:00Z"), timeZone: "Asia/Jerusalem", country: "IL" };

const handlers: Analyst = {
  analyse({ language, minutes, times }) {
    const transcript = makeTranscript({ language, minutes });
    const { turns } = transcript;
    const json = JSON.stringify(transcript);
    const runs = Array.from({ length: times }, (): Parts => {
      const metrics = cpuOf(() => measureTurns({ turns, mediaMs: minutes * 60_000, language }));
      return {
        metrics: metrics.ms,
        summary: cpuOf(() => summariseExtractively(transcript, { language, sentencesMax: 5 })).ms,
        fields: cpuOf(() => extractFields(transcript, fields, around)).ms,
        trackers: cpuOf(() => track(transcript, [metrics.result], trackers)).ms,
      };
    });
    const parses = 50;
    const parsed = cpuOf(() => Array.from({ length: parses }, () => JSON.parse(json) as unknown));
    const characters = turns.reduce((sum, { text }) => sum + text.length, 0);
    return { turns: turns.length, characters, runs, parseMs: parsed.ms / parses };
  },
};
serve(handlers);

function cpuOf<Result>(work: () => Result): { readonly result: Result; readonly ms: number } {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { result, ms: (user + system) / 1000 };
}
