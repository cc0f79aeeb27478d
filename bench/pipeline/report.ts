import { type Latency, type Spread, spreadOf } from "../load/percentiles.ts";
import { aboutRun, writeResultFiles } from "../machine/results.ts";
import type { Analysis } from "./analysis.ts";
import type { Bench, Cpu } from "./bench.ts";
import type { Calls, CallsTurn } from "./calls.ts";
import type { Waits } from "./latency.ts";
import type { Heard } from "./recordings.ts";

export type Figures = {
  readonly calls: readonly Calls[];
  readonly waits: Waits | null;
  readonly analysis: readonly Analysis[];
  readonly recordings: readonly Heard[];
};

/** The figures as Markdown, for the terminal and for the results. */
export function textOf({ calls, waits, analysis, recordings }: Figures): string {
  return [
    ...(calls.length > 0 ? callLines(calls) : []),
    ...(waits ? waitLines(waits) : []),
    ...(analysis.length > 0 ? analysisLines(analysis) : []),
    ...(recordings.length > 0 ? recordingLines(recordings) : []),
  ].join("\n");
}

export function writePipelineResults(root: string, bench: Bench, figures: Figures): string[] {
  const about = {
    ...aboutRun(root),
    postgresql: bench.database.version,
    log_level: bench.logLevel,
  };
  const lines = [
    "# Results of the benchmark of the pipeline",
    "",
    `\`${about.command}\` on ${about.date.slice(0, 10)}, commit ${about.commit}. ${about.cpu}, ${about.cores} cores shared by load generator, server and PostgreSQL; load average ${about.load.join(", ")} at the end; node ${about.node}, postgresql ${about.postgresql}. What is measured and where the time goes: [README](../README.md#the-pipeline).`,
    "",
    textOf(figures),
    "",
  ];
  return writeResultFiles(root, "pipeline", { ...about, ...figures }, lines);
}

function callLines(calls: readonly Calls[]): string[] {
  const rows = calls.map(({ bodyBytes, count, analysed, bare }) => {
    const rate = spreadOf(analysed.map(({ perSecond }) => perSecond));
    const ofBare = spreadOf(bare.map(({ perSecond }) => perSecond));
    const [server, database] = [cpuOf(analysed, "server"), cpuOf(analysed, "database")];
    const [bareServer, bareDatabase] = [cpuOf(bare, "server"), cpuOf(bare, "database")];
    const more = (server.median + database.median) / (bareServer.median + bareDatabase.median);
    return `| ${bodyBytes / 1000} KB | ${count} | **${rate.median.toFixed(0)}** (${rate.min.toFixed(0)} to ${rate.max.toFixed(0)}) | ${spread(server)} | ${spread(database)} | ${ofBare.median.toFixed(0)}/s: ${bareServer.median.toFixed(2)} + ${bareDatabase.median.toFixed(2)} ms | ${more.toFixed(1)} |`;
  });
  return [
    "## Calls, from their webhooks to `call.completed`",
    "",
    "| webhook | calls | per second | CPU ms per call: server | PostgreSQL | without analysis | CPU, with ÷ without |",
    "|---|---|---|---|---|---|---|",
    ...rows,
    "",
  ];
}

function cpuOf(turns: readonly CallsTurn[], name: keyof Cpu): Spread {
  return spreadOf(turns.map(({ cpu }) => cpu[name] ?? Number.NaN));
}

function waitLines({ calls, answered, completed }: Waits): string[] {
  return [
    "## One call at a time",
    "",
    `| ${calls} calls of 3 KB | p50 / p99 / max |`,
    "|---|---|",
    `| webhook → answered | ${spelled(answered)} |`,
    `| webhook → \`call.completed\` at its receiver, to reach p50 < 50 ms | **${spelled(completed)}** |`,
    "",
  ];
}

function analysisLines(analysis: readonly Analysis[]): string[] {
  const rows = analysis.map(({ name, turns, characters, first, warm, parts, parseMs }) => {
    const each = Object.entries(parts).map(([part, ms]) => `${part} ${ms.toFixed(1)}`);
    return `| ${name} | ${turns}, ${characters.toLocaleString("en")} | ${first.toFixed(0)} | **${warm.toFixed(1)}** | ${each.join(", ")} | ${(warm / parseMs).toFixed(0)} |`;
  });
  return [
    "## Transcripts through the built-in analyzer",
    "",
    "Milliseconds of processor time for metrics, summary, eight fields and four trackers; to reach: < 500 for an hour of talk.",
    "",
    "| | turns, characters | in a process just started | warm | of that | ÷ reading the same from JSON |",
    "|---|---|---|---|---|---|",
    ...rows,
    "",
  ];
}

function recordingLines(recordings: readonly Heard[]): string[] {
  const rows = recordings.map(
    ({ name, hours, channels, megabytes, cpuMsPerHour, megabytesAboveIdle, lateMs }) =>
      `| ${name} | ${hours.toFixed(2)} h × ${channels}, ${megabytes.toFixed(0)} MB | ${cpuMsPerHour.toFixed(0)} ms, ${(3_600_000 / cpuMsPerHour).toLocaleString("en", { maximumFractionDigits: 0 })} × | **${megabytesAboveIdle.toFixed(0)} MB** | ${lateMs === null ? "" : `${lateMs.toFixed(0)} ms`} |`,
  );
  return [
    "## Recordings",
    "",
    "Decoding, speech detection and peaks. Memory to reach: < 150 MB above idle for two hours.",
    "",
    "| | | CPU for an hour of one channel, times real time | memory above idle | event loop late at worst |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ];
}

function spread({ median, min, max }: Spread): string {
  return `**${median.toFixed(2)}** (${min.toFixed(2)} to ${max.toFixed(2)})`;
}

function spelled({ p50, p99, max }: Latency): string {
  return [p50, p99, max].map((ms) => `${ms.toFixed(1)} ms`).join(" / ");
}
