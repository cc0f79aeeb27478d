import { createSupply, type Supply } from "./load/bodies.ts";
import { type Generated, runClosed, runOpen } from "./load/generate.ts";
import { serve } from "./machine/remote.ts";

/** The load generator: a process of its own, so that its work is not counted as a contender's. */
export type Loader = {
  prepare(input: { count: number; bodyBytes: number; port: number; path: string; secret: string }): { first: number };
  closed(input: { port: number; connections: number; seconds: number }): Promise<Generated>;
  open(input: { port: number; connections: number; perSecond: number; seconds: number }): Promise<Generated>;
};

let supply: Supply | null = null;
let numbersUsed = 0;

const handlers: Loader = {
  prepare({ port, ...wanted }) {
    const first = numbersUsed;
    supply = createSupply({ ...wanted, first, host: `127.0.0.1:${port}` });
    numbersUsed += wanted.count;
    return { first };
  },
  closed: (input) => runClosed(prepared(), input),
  open: (input) => runOpen(prepared(), input),
};
serve(handlers);

function prepared(): Supply {
  if (!supply) throw new Error("Nothing is prepared");
  return supply;
}
