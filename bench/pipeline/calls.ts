import { setTimeout as sleep } from "node:timers/promises";

import { fromPublicId } from "@aftercall/contract/id.ts";
import pg from "pg";

import { connectionFrom } from "../../server/src/db/connect.ts";
import { type Bench, type Cpu, cpuOf, perOne, type Running, withServer } from "./bench.ts";

/** Calls from their webhook to `call.completed`, as fast as they come. Nobody subscribed, no engine is set up. */
export type CallsTurn = {
  /** From the first webhook to the last call that is done. */
  readonly perSecond: number;
  /** Milliseconds for each call, its webhook included. */
  readonly cpu: Cpu;
};

export type Calls = {
  readonly bodyBytes: number;
  readonly count: number;
  readonly analysed: readonly CallsTurn[];
  /** The same calls with AFTERCALL_ANALYSIS=off: taken in, kept and told of. */
  readonly bare: readonly CallsTurn[];
};

/** In turn (A B, A B, …), so that what changes on the machine meanwhile meets both. */
export async function measureCalls(
  bench: Bench,
  { bodyBytes, count }: { readonly bodyBytes: number; readonly count: number },
  rounds: number,
): Promise<Calls> {
  const analysed: CallsTurn[] = [];
  const bare: CallsTurn[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const [analysis, turns] of [
      ["on", analysed],
      ["off", bare],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- One after the other: they would share the processor.
      const turn = await withServer(bench, analysis, (server) => takeTurn(bench, server, bodyBytes, count));
      turns.push(turn);
      console.log(
        `round ${round}  ${bodyBytes / 1000} KB  analysis ${analysis.padEnd(3)}  ${turn.perSecond.toFixed(0)}/s`,
      );
    }
  }
  return { bodyBytes, count, analysed, bare };
}

async function takeTurn(bench: Bench, server: Running, bodyBytes: number, count: number): Promise<CallsTurn> {
  const { loader } = bench;
  const { port } = server.load;
  const done = await watchDone(bench, server);
  try {
    // Code is compiled and plans are made before the clock starts.
    const warm = Math.min(count, 300);
    await loader.call("prepare", { ...server.load, bodyBytes, count: warm });
    await loader.call("closed", { port, connections: 8, seconds: 60 });
    await done.until(warm);
    await loader.call("prepare", { ...server.load, bodyBytes, count });
    const [startedAt, before] = [performance.now(), cpuOf(bench, server)];
    await loader.call("closed", { port, connections: 32, seconds: 600 });
    await done.until(warm + count);
    const seconds = (performance.now() - startedAt) / 1000;
    return { perSecond: count / seconds, cpu: perOne(before, cpuOf(bench, server), count) };
  } finally {
    await done.end();
  }
}

/** Nobody subscribed, so the rows of messages alone say that a call is done. Looked at seldom: a look costs the database too. */
async function watchDone({ database }: Bench, server: Running) {
  const who = await server.ask<{ tenant: { id: string } }>("GET", "/v1/whoami");
  const client = new pg.Client(connectionFrom(database.urlOf(server.databaseName)));
  await client.connect();
  await client.query("select set_config('app.tenants', $1, false)", [`{${fromPublicId("tenant", who.tenant.id)}}`]);
  return {
    async until(count: number): Promise<void> {
      for (let done = 0; done < count;) {
        // oxlint-disable no-await-in-loop -- It is watched.
        const { rows } = await client.query<{ done: string }>(
          "select count(*) as done from messages where type = 'call.completed'",
        );
        done = Number(rows[0]?.done ?? 0);
        if (done < count) await sleep(100);
        // oxlint-enable no-await-in-loop
      }
    },
    end: () => client.end(),
  };
}
