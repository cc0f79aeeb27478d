import { parseArgs } from "node:util";

import type { ContenderName } from "./contenders/contender.ts";
import { contenders } from "./contenders/index.ts";

export type Options = {
  readonly only: readonly ContenderName[];
  readonly bodyBytes: readonly number[];
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly rounds: number;
  readonly connections: number;
  readonly logLevel: string;
  readonly profileDir: string | null;
  readonly writes: boolean;
};

const help = `npm run bench -- [options]

Measures aftercall against a bare handler and against the usual stack, on one PostgreSQL: the embedded one, or the server at
DATABASE_URL (the role must be allowed to create databases). The usual stack needs redis-server in the PATH and is skipped without.

  --quick           a few seconds with 3 KB bodies, one round, nothing written: does it run at all?
  --only <names>    ${contenders.map(({ name }) => name).join(", ")}; several with commas
  --body <sizes>    bytes of a webhook's body, several with commas         default 3000,60000
  --seconds <n>     of each measured phase (two phases per turn)           default 5
  --rounds <n>      turns of each contender                                default 3
  --connections <n> of the load generator at saturation                    default 64
  --log-level <l>   of aftercall; its own default is info                  default warn
  --profile <dir>   writes processor profiles of aftercall; figures of such a run are not written
  --no-write        prints only
`;

/** Reads the command line. Prints the help or what is wrong, and ends the process, where it must. */
export function readOptions(args: readonly string[]): Options {
  try {
    return parse(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    return process.exit(2);
  }
}

function parse(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      body: { type: "string" },
      seconds: { type: "string" },
      rounds: { type: "string" },
      connections: { type: "string", default: "64" },
      "log-level": { type: "string", default: "warn" },
      profile: { type: "string" },
      "no-write": { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(help);
    return process.exit(0);
  }
  const { quick } = values;
  const names = contenders.map(({ name }) => name);
  const only = (values.only?.split(",") ?? names).map((wanted) => {
    const name = names.find((known) => known === wanted);
    if (!name) throw new TypeError(`No contender is called ${wanted}`);
    return name;
  });
  return {
    only,
    bodyBytes: (values.body ?? (quick ? "3000" : "3000,60000")).split(",").map((text) => positive("--body", text)),
    seconds: positive("--seconds", values.seconds ?? (quick ? "1" : "5")),
    warmUpSeconds: quick ? 0.5 : 2,
    rounds: positive("--rounds", values.rounds ?? (quick ? "1" : "3")),
    connections: positive("--connections", values.connections),
    logLevel: values["log-level"],
    profileDir: values.profile ?? null,
    writes: !quick && !values["no-write"] && !values.profile,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new TypeError(`${name} must be a number above zero, not ${text}`);
  return value;
}
