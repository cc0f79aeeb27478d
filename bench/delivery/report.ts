import { type Latency, type Spread, spreadOf } from "../load/percentiles.ts";
import { aboutRun, writeResultFiles } from "../machine/results.ts";
import type { Bench } from "./bench.ts";
import type { ClaimCase } from "./claim.ts";
import type { Drain } from "./drain.ts";
import type { Neighbour } from "./neighbour.ts";
import type { Rate, SenderName } from "./rate.ts";

export type Figures = {
  readonly rates: readonly {
    readonly sender: SenderName;
    readonly origins: number;
    readonly turns: readonly Rate[];
    readonly perSecond: Spread;
  }[];
  readonly neighbour: Neighbour | null;
  readonly drain: Drain | null;
  readonly claims: readonly ClaimCase[];
};

const titles: Readonly<Record<SenderName, string>> = {
  bare: "a · bare undici loop: sign and post, nothing kept",
  alternative: "b · the usual stack's worker: BullMQ + axios + pg",
  aftercall: "c · aftercall",
};

/** The figures as Markdown, for the terminal and for the results. */
export function textOf(figures: Figures): string {
  const { neighbour, drain, claims } = figures;
  return [
    ...(figures.rates.length > 0 ? rateLines(figures) : []),
    ...(neighbour ? neighbourLines(neighbour) : []),
    ...(drain ? drainLines(drain) : []),
    ...(claims.length > 0 ? claimLines(claims) : []),
  ].join("\n");
}

export function writeDeliveryResults(root: string, bench: Bench, figures: Figures): string[] {
  const about = {
    ...aboutRun(root),
    postgresql: bench.database.version,
    redis: bench.redis?.version ?? "absent",
    body_bytes: bench.bodyBytes,
    log_level: bench.logLevel,
  };
  const lines = [
    "# Results of the benchmark of deliveries",
    "",
    `\`${about.command}\` on ${about.date.slice(0, 10)}, commit ${about.commit}. ${about.cpu}, ${about.cores} cores shared by sender, PostgreSQL, Redis and receiver; load average ${about.load.join(", ")} at the end; node ${about.node}, postgresql ${about.postgresql}, redis ${about.redis}; messages of ${about.body_bytes} bytes. What is compared and what limits it: [README](../README.md#deliveries).`,
    "",
    textOf(figures),
    "",
  ];
  return writeResultFiles(root, "delivery", { ...about, ...figures }, lines);
}

function rateLines({ rates }: Figures): string[] {
  const cpuOf = (turns: readonly Rate[]) => {
    const middle = (of: (turn: Rate) => number | null) => spreadOf(turns.map((turn) => of(turn) ?? 0)).median;
    const each = [middle(({ app }) => app), middle(({ database }) => database), middle(({ redis }) => redis)];
    return { each, sum: each.reduce((sum, micros) => sum + micros, 0) };
  };
  const rows = rates.map(({ sender, origins, turns, perSecond }) => {
    const { each, sum } = cpuOf(turns);
    const spread = `**${whole(perSecond.median)}** (${whole(perSecond.min)} to ${whole(perSecond.max)})`;
    return `| ${titles[sender]} | ${origins} | ${spread} | ${whole(sum)}: ${each.map(whole).join(" + ")} |`;
  });
  const ratios = [1, 500].flatMap((origins) => {
    const of = (name: SenderName) => rates.find((one) => one.sender === name && one.origins === origins);
    const ours = of("aftercall");
    return (["bare", "alternative"] as const).flatMap((name) => {
      const other = of(name);
      if (!ours || !other) return [];
      const speed = ours.perSecond.median / other.perSecond.median;
      const cpu = cpuOf(other.turns).sum / cpuOf(ours.turns).sum;
      const wanted = name === "bare" ? "≥ 0.7" : "≥ 3";
      return `| c ÷ ${name === "bare" ? "a" : "b"}, ${origins} origins | **${speed.toFixed(2)}** | ${wanted} | ${cpu.toFixed(2)} |`;
    });
  });
  return [
    "## Deliveries per second",
    "",
    "| | origins | per second | CPU µs per delivery: app + database + Redis |",
    "|---|---|---|---|",
    ...rows,
    "",
    "| Ratio | of the rates | to reach | of what processor time buys |",
    "|---|---|---|---|",
    ...ratios,
    "",
  ];
}

function neighbourLines({ without, withOne, messages }: Neighbour): string[] {
  return [
    "## Nine good endpoints beside one that hangs",
    "",
    `${messages} messages of each kind, in short turns with and without it.`,
    "",
    "| | published → arrived at the nine, p50 / p99 / max |",
    "|---|---|",
    `| without it | ${spelled(without)} |`,
    `| with it | ${spelled(withOne)} |`,
    `| p99 with ÷ without, to reach ≤ 1.5 | ${ratio(withOne, without)} |`,
    "",
  ];
}

function drainLines({ retries, seconds, freshAlone, freshMeanwhile }: Drain): string[] {
  return [
    `## ${retries.toLocaleString("en")} retries that are due at once`,
    "",
    `They were gone after ${seconds.toFixed(1)} s (${whole(retries / seconds)}/s).`,
    "",
    "| fresh messages, published → arrived | p50 / p99 / max |",
    "|---|---|",
    `| before | ${spelled(freshAlone)} |`,
    `| meanwhile | ${spelled(freshMeanwhile)} |`,
    `| p99 meanwhile ÷ before, to reach ≤ 1.5 | ${ratio(freshMeanwhile, freshAlone)} |`,
    "",
  ];
}

function claimLines(claims: readonly ClaimCase[]): string[] {
  const both = ({ p50, p99 }: Latency) => `${p50.toFixed(1)} / ${p99.toFixed(1)}`;
  return [
    "## A claim of 50 deliveries, by what else is in the tables",
    "",
    "| | without it, p50 / p99 | with it, p50 / p99 | max, ms | p99 with ÷ without, to reach ≤ 1.5 |",
    "|---|---|---|---|---|",
    ...claims.map(
      ({ name, alone, beside }) =>
        `| ${name} | ${both(alone)} | ${both(beside)} | ${beside.max.toFixed(1)} | ${ratio(beside, alone)} |`,
    ),
    "",
  ];
}

function ratio(one: Latency, other: Latency): string {
  return `**${(one.p99 / other.p99).toFixed(2)}** (p50: ${(one.p50 / other.p50).toFixed(2)})`;
}

function spelled({ p50, p99, max }: Latency): string {
  return [p50, p99, max].map((ms) => `${ms.toFixed(1)} ms`).join(" / ");
}

function whole(value: number): string {
  return String(Math.round(value));
}
