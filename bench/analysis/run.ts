import { cpus } from "node:os";

import { FieldDef, Tracker } from "@aftercall/contract/analysis/plan.ts";

import { measureTurns } from "../../server/src/metrics/turns.ts";
import { defaultFields } from "../../server/src/models/builtin/defaults/fields.ts";
import { extractFields } from "../../server/src/models/builtin/extract.ts";
import { summariseExtractively } from "../../server/src/models/builtin/summarise.ts";
import { track } from "../../server/src/models/builtin/track.ts";
import { makeTranscript } from "./transcript.ts";

// CPU that the built-in analyzer takes for one call, in a process that has just started and in one that is warm.

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

console.log(`${cpus()[0]?.model ?? "?"} × ${cpus().length}, Node ${process.version}`);
console.log("milliseconds of CPU for metrics, summary (5 sentences), 8 fields and 4 trackers\n");
for (const { name, language, minutes } of [
  { name: "60 minutes, Hebrew", language: "he", minutes: 60 },
  { name: "60 minutes, English", language: "en", minutes: 60 },
  { name: "3 minutes, English", language: "en", minutes: 3 },
] as const) {
  const transcript = makeTranscript({ language, minutes });
  const chars = transcript.turns.reduce((sum, { text }) => sum + text.length, 0);
  const runs = Array.from({ length: 20 }, () => analyse(transcript, minutes));
  const warm = runs
    .slice(5)
    .map(({ total }) => total)
    .toSorted((a, b) => a - b);
  const [first] = runs;
  const last = runs.at(-1);
  console.log(
    `${name}: ${transcript.turns.length} turns, ${chars} characters · first ${first?.total.toFixed(0)} ms · warm median ${warm[7]?.toFixed(0)} ms (${last?.parts.join(", ")})`,
  );
}

function analyse(transcript: ReturnType<typeof makeTranscript>, minutes: number) {
  const parts: string[] = [];
  let total = 0;
  const { language, turns } = transcript;
  const metrics = measured("metrics", () => measureTurns({ turns, mediaMs: minutes * 60_000, language }));
  measured("summary", () => summariseExtractively(transcript, { language, sentencesMax: 5 }));
  measured("fields", () => extractFields(transcript, fields, around));
  measured("trackers", () => track(transcript, [metrics], trackers));
  return { total, parts };

  function measured<T>(name: string, work: () => T): T {
    const before = process.cpuUsage();
    const result = work();
    const { user, system } = process.cpuUsage(before);
    const ms = (user + system) / 1000;
    total += ms;
    parts.push(`${name} ${ms.toFixed(0)}`);
    return result;
  }
}
