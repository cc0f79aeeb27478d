import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join, relative } from "node:path";

import type { Contender, ContenderName } from "./contenders/contender.ts";
import { type Spread, spreadOf } from "./load/percentiles.ts";
import type { Database } from "./machine/database.ts";
import type { Redis } from "./machine/redis.ts";
import type { Options } from "./options.ts";
import type { Turn } from "./turn.ts";

export type Measured = { readonly contender: Contender; readonly bodyBytes: number; readonly turns: Turn[] };

export type Machine = {
  readonly date: string;
  readonly commit: string;
  readonly command: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  /** What else ran here in the minute before, in processors: above 0.5 the figures say more about that than about us. */
  readonly loadBefore: number;
  readonly kernel: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly databaseSettings: Readonly<Record<string, string>>;
  readonly options: Options;
};

export function describeMachine({
  root,
  database,
  redis,
  options,
}: {
  root: string;
  database: Database;
  redis: Redis | null;
  options: Options;
}): Machine {
  const git = (...args: string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const versionOf = (name: string): string =>
    JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;
  const isChanged = git("status", "--porcelain", "--untracked-files=no", "--", "server", "contract", "bench") !== "";
  return {
    date: new Date().toISOString(),
    commit: git("rev-parse", "--short", "HEAD") + (isChanged ? "+changes" : ""),
    command: ["npm run bench", ...(process.argv.length > 2 ? ["--", ...process.argv.slice(2)] : [])].join(" "),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    loadBefore: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    kernel: release(),
    versions: {
      node: process.versions.node,
      postgresql: database.version,
      redis: redis?.version ?? "absent",
      ...Object.fromEntries(
        ["fastify", "pg", "undici", "express", "bullmq", "axios"].map((name) => [name, versionOf(name)]),
      ),
    },
    databaseSettings: database.settings,
    options,
  };
}

export function printTurn(round: number, { contender, bodyBytes }: Measured, turn: Turn): void {
  const { books, deliveredAtHalf } = turn;
  const parts = [
    `round ${round}`,
    `${kilobytes(bodyBytes)} KB`.padStart(5),
    contender.title.padEnd(56),
    `${Math.round(turn.perSecond)}/s`.padStart(8),
    `answer p50 ${ms(turn.answerAtHalf.p50)} p99 ${ms(turn.answerAtHalf.p99)} at ${Math.round(turn.offeredPerSecond)}/s`,
    ...(deliveredAtHalf ? [`delivered p50 ${ms(deliveredAtHalf.p50)} p99 ${ms(deliveredAtHalf.p99)}`] : []),
    `cpu ${cpuTotal(turn) === null ? "?" : `${Math.round(cpuTotal(turn) ?? 0)} µs`}`,
    ...(books.refused > 0 ? [`REFUSED ${books.refused}`] : []),
    ...(contender.delivers ? [`missing ${books.missing} duplicates ${books.duplicates}`] : []),
  ];
  console.log(parts.join("  "));
}

export function printSummary(measured: readonly Measured[]): void {
  console.log(`\n${tablesOf(measured).join("\n")}`);
}

/** Writes the figures for programs and the table for people; gives their paths. */
export function writeResults(root: string, machine: Machine, measured: readonly Measured[]): string[] {
  const dir = join(import.meta.dirname, "results");
  mkdirSync(dir, { recursive: true });
  const json = join(dir, `${machine.date.slice(0, 10)}-${machine.commit.replace("+", "-")}.json`);
  const results = measured.map(({ contender, bodyBytes, turns }) => ({ contender: contender.name, bodyBytes, turns }));
  writeFileSync(json, `${JSON.stringify({ ...machine, results, ratios: ratiosOf(measured) }, null, 2)}\n`);
  const markdown = join(dir, "latest.md");
  writeFileSync(markdown, `${pageOf(machine, measured, relative(dir, json))}\n`);
  return [json, markdown].map((file) => relative(root, file));
}

function pageOf(machine: Machine, measured: readonly Measured[], json: string): string {
  const { options } = machine;
  return [
    "# Results of the benchmark",
    "",
    `\`${machine.command}\` on ${machine.date.slice(0, 10)}, commit ${machine.commit}; all figures of each turn: [${json}](${json}).`,
    "",
    `${machine.cpu}, ${machine.cores} cores shared by the load generator, the contender, PostgreSQL, Redis and the receiver; ` +
      `${machine.memoryGb} GB, Linux ${machine.kernel}, load average ${machine.loadBefore} when it began. ${Object.entries(
        machine.versions,
      )
        .map(([name, version]) => `${name} ${version}`)
        .join(", ")}. ` +
      `PostgreSQL: ${Object.entries(machine.databaseSettings)
        .map(([name, setting]) => `${name} ${setting}`)
        .join(", ")}. aftercall logs at level ${options.logLevel}.`,
    "",
    `Medians of ${options.rounds} turns of ${options.seconds} s with (lowest to highest). Absolute figures belong to this machine; the ratios are the point.`,
    "",
    ...tablesOf(measured),
  ].join("\n");
}

function tablesOf(measured: readonly Measured[]): string[] {
  const sizes = [...new Set(measured.map(({ bodyBytes }) => bodyBytes))];
  return sizes.flatMap((size) => {
    const ofSize = measured.filter(({ bodyBytes }) => bodyBytes === size);
    return [
      `## Bodies of ${kilobytes(size)} KB`,
      "",
      "| | per second | answer p50 / p99 at half of that | received → delivered p50 / p99 at half | CPU µs per event: app + database + Redis | missing | duplicates |",
      "|---|---|---|---|---|---|---|",
      ...ofSize.map(rowOf),
      "",
      "| Ratio | reached | to reach |",
      "|---|---|---|",
      ...ratiosOf(ofSize).map(({ name, value, target }) => `| ${name} | **${value.toFixed(2)}** | ${target ?? "–"} |`),
      "",
    ];
  });
}

function rowOf({ contender, turns }: Measured): string {
  const half = (pick: (turn: Turn) => number | undefined) =>
    ms(spreadOf(turns.flatMap((turn) => pick(turn) ?? [])).median);
  const delivered = contender.delivers
    ? `${half((turn) => turn.deliveredAtHalf?.p50)} / ${half((turn) => turn.deliveredAtHalf?.p99)}`
    : "–";
  const cpu = (pick: (cpu: NonNullable<Turn["cpuMicros"]>) => number | null) => {
    const values = turns.flatMap((turn) => (turn.cpuMicros && pick(turn.cpuMicros)) ?? []);
    return values.length > 0 ? String(Math.round(spreadOf(values).median)) : "?";
  };
  const total = (pick: (turn: Turn) => number) => turns.reduce((sum, turn) => sum + pick(turn), 0);
  return `| ${[
    contender.title,
    spread(spreadOf(turns.map((turn) => turn.perSecond))),
    `${half((turn) => turn.answerAtHalf.p50)} / ${half((turn) => turn.answerAtHalf.p99)}`,
    delivered,
    `${cpu((each) => each.app + (each.database ?? 0) + each.redis)}: ${cpu((each) => each.app)} + ${cpu((each) => each.database)} + ${cpu((each) => each.redis)}`,
    contender.delivers ? `${total((turn) => turn.books.missing)} of ${total((turn) => turn.books.accepted)}` : "–",
    contender.delivers ? total((turn) => turn.books.duplicates) : "–",
  ].join(" | ")} |`;
}

type Ratio = {
  readonly name: string;
  readonly bodyBytes: number;
  readonly value: number;
  readonly target: string | null;
};

function ratiosOf(measured: readonly Measured[]): Ratio[] {
  const sizes = [...new Set(measured.map(({ bodyBytes }) => bodyBytes))];
  return sizes.flatMap((bodyBytes) =>
    compared.flatMap(({ name, above, below, of, target }) => {
      const [value, base] = [above, below].map((wanted) => {
        const found = measured.find((one) => one.bodyBytes === bodyBytes && one.contender.name === wanted);
        return found && spreadOf(found.turns.flatMap((turn) => of(turn) ?? [])).median;
      });
      if (value === undefined || base === undefined || Number.isNaN(value / base)) return [];
      return [{ name, bodyBytes, value: value / base, target: target(bodyBytes) }];
    }),
  );
}

const speed = (turn: Turn) => turn.perSecond;

/** The processor's work for each event is what is left to compare where other work slows everything down. */
const compared: readonly {
  name: string;
  above: ContenderName;
  below: ContenderName;
  of: (turn: Turn) => number | null;
  target: (bodyBytes: number) => string | null;
}[] = [
  {
    name: "3 ÷ 1, speed",
    above: "intake",
    below: "bare",
    of: speed,
    target: (size) => (size === 3000 ? "≥ 0.3" : null),
  },
  { name: "3 ÷ 2, speed", above: "intake", below: "alternative", of: speed, target: () => "≥ 3" },
  { name: "4 ÷ 2e, speed", above: "delivery", below: "alternative-delivery", of: speed, target: () => "≥ 4" },
  { name: "2 ÷ 3, CPU per event", above: "alternative", below: "intake", of: cpuTotal, target: () => null },
  { name: "2e ÷ 4, CPU per event", above: "alternative-delivery", below: "delivery", of: cpuTotal, target: () => null },
];

function cpuTotal({ cpuMicros }: Turn): number | null {
  return cpuMicros && cpuMicros.app + (cpuMicros.database ?? 0) + cpuMicros.redis;
}

function spread({ median, min, max }: Spread): string {
  return `**${Math.round(median)}** (${Math.round(min)} to ${Math.round(max)})`;
}

function kilobytes(bytes: number): string {
  return String(Math.round(bytes / 100) / 10);
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
