import { join } from "node:path";
import { parseArgs } from "node:util";

import { measureAnalysis } from "./analysis.ts";
import { startBench } from "./bench.ts";
import { type Calls, measureCalls } from "./calls.ts";
import { measureLatency } from "./latency.ts";
import { measureRecordings } from "./recordings.ts";
import { type Figures, textOf, writePipelineResults } from "./report.ts";

const help = `npm run bench -- pipeline [options]

What is made of calls after their end, without any key: how many a second, what each takes, how long it is waited for, and what
long transcripts and long recordings take.

  --quick          small numbers, one round: does it run at all?
  --parts <names>  calls, latency, analysis, recordings; several with commas   default all
  --rounds <n>     turns of the calls, with and without analysis               default 3
  --log-level <l>  of aftercall; its own default is info                       default warn
  --profile <dir>  writes processor profiles of aftercall
  --write          writes the figures to bench/results
`;

const { values } = parseArgs({
  args: process.argv.slice(2).filter((word) => word !== "pipeline"),
  options: {
    help: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    parts: { type: "string", default: "calls,latency,analysis,recordings" },
    rounds: { type: "string" },
    "log-level": { type: "string", default: "warn" },
    profile: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(help);
  process.exit(0);
}
const { quick } = values;
const parts = new Set(values.parts.split(","));
const rounds = Number(values.rounds ?? (quick ? 1 : 3));
const root = join(import.meta.dirname, "../..");
const bench = await startBench(root, { logLevel: values["log-level"], profileDir: values.profile ?? null });
try {
  const figures: Figures = {
    calls: parts.has("calls") ? await calls() : [],
    waits: parts.has("latency") ? await measureLatency(bench, quick ? 12 : 60) : null,
    analysis: parts.has("analysis") ? await measureAnalysis(quick ? 4 : 20) : [],
    recordings: parts.has("recordings") ? await measureRecordings(bench, quick ? 0.25 : 2) : [],
  };
  console.log(`\n${textOf(figures)}`);
  if (values.write) for (const file of writePipelineResults(root, bench, figures)) console.log(`written: ${file}`);
} finally {
  await bench.stop();
}

async function calls(): Promise<Calls[]> {
  const small = await measureCalls(bench, { bodyBytes: 3_000, count: quick ? 150 : 1_500 }, rounds);
  const large = await measureCalls(bench, { bodyBytes: 60_000, count: quick ? 30 : 200 }, rounds);
  return [small, large];
}
