import { join } from "node:path";
import { parseArgs } from "node:util";

import { spreadOf } from "../load/percentiles.ts";
import { startBench } from "./bench.ts";
import { measureClaims } from "./claim.ts";
import { measureDrain } from "./drain.ts";
import { measureNeighbour } from "./neighbour.ts";
import { measureRate, type Rate, type SenderName, senders } from "./rate.ts";
import { type Figures, textOf, writeDeliveryResults } from "./report.ts";

const help = `npm run bench -- delivery [options]

How fast messages that are there go out, and who has to wait for whom. The usual stack's worker needs redis-server in the PATH.

  --quick          small numbers, one round: does it run at all?
  --parts <names>  rate, neighbour, drain, claim; several with commas   default all
  --only <names>   of the rates: bare, alternative, aftercall           default all
  --body <bytes>   of a message                                         default 3000
  --rounds <n>     turns of each rate                                   default 3
  --log-level <l>  of aftercall; its own default is info                default warn
  --profile <dir>  writes processor profiles of aftercall
  --write          writes the figures to bench/results
`;

const { values } = parseArgs({
  args: process.argv.slice(2).filter((word) => word !== "delivery"),
  options: {
    help: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    parts: { type: "string", default: "rate,neighbour,drain,claim" },
    only: { type: "string", default: senders.join(",") },
    body: { type: "string", default: "3000" },
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
const bench = await startBench(root, {
  bodyBytes: Number(values.body),
  logLevel: values["log-level"],
  profileDir: values.profile ?? null,
  withRedis: parts.has("rate") && values.only.includes("alternative"),
});
try {
  const figures: Figures = {
    rates: parts.has("rate") ? await rates() : [],
    neighbour: parts.has("neighbour") ? await measureNeighbour(bench, 3, quick ? 1 : 12) : null,
    drain: parts.has("drain") ? await measureDrain(bench, quick ? 2_000 : 20_000, quick ? 2 : 10) : null,
    claims: parts.has("claim") ? await measureClaims(bench.database, quick ? 20 : 400) : [],
  };
  console.log(textOf(figures));
  if (values.write) for (const file of writeDeliveryResults(root, bench, figures)) console.log(`written: ${file}`);
} finally {
  await bench.stop();
}

/** In turn (A B C, A B C, …), so that what changes on the machine meanwhile meets all of them. */
async function rates(): Promise<Figures["rates"]> {
  const wanted = senders.filter(
    (name) => values.only.split(",").includes(name) && (name !== "alternative" || bench.redis),
  );
  const measured = [1, 500].flatMap((origins) => wanted.map((sender) => ({ sender, origins, turns: [] as Rate[] })));
  for (let round = 1; round <= rounds; round++) {
    for (const { sender, origins, turns } of measured) {
      const turn = await measureRate(bench, sender, { origins, count: countOf(sender) });
      turns.push(turn);
      console.log(`round ${round}  ${sender.padEnd(12)} ${origins} origins  ${Math.round(turn.perSecond)}/s`);
    }
  }
  return measured.map(({ turns, ...one }) => ({
    ...one,
    turns,
    perSecond: spreadOf(turns.map((turn) => turn.perSecond)),
  }));
}

/** Some seconds of work each. */
function countOf(sender: SenderName): number {
  return Math.round({ bare: 60_000, alternative: 6_000, aftercall: 24_000 }[sender] / (quick ? 10 : 1));
}
