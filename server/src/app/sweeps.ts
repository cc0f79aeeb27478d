import type { Clock } from "#/kernel/clock.ts";
import type { Log } from "#/kernel/log.ts";

/** Work that is done again and again: what it misses once it finds the next time. */
export type Sweep = { readonly name: string; readonly everyMs: number; readonly run: () => Promise<unknown> };

/** Runs each sweep at its own pace until the signal ends them; resolves when the last one has stopped. */
export async function runSweeps(
  sweeps: readonly Sweep[],
  { clock, log, signal }: { clock: Clock; log: Log; signal: AbortSignal },
): Promise<void> {
  await Promise.all(sweeps.map(loop));

  async function loop({ name, everyMs, run }: Sweep): Promise<void> {
    while (!signal.aborted) {
      await run().catch((error: unknown) => log.warn({ sweep: name, err: error }, "a sweep failed, trying again"));
      await clock.sleep(everyMs, signal);
    }
  }
}
