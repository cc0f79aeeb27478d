import type { Clock } from "#/kernel/clock.ts";
import { Unavailable } from "#/kernel/errors.ts";

import type { Arrival, Outcome } from "./arrival.ts";
import type { Settled } from "./commit.ts";

export type BatchLimits = {
  /** Batches that may be committing at once. */
  readonly lanes: number;
  readonly eventsMax: number;
  readonly bytesMax: number;
  /** How long a second lane waits at most, until as many requests wait as are under way in the first. */
  readonly waitMs: number;
  readonly waitingRequestsMax: number;
  readonly waitingBytesMax: number;
  /** A request that is not settled by then is answered as our own failure. */
  readonly answerDeadlineMs: number;
};

export type Batcher = {
  /** Resolves once the arrival is committed. Throws {@link Unavailable} when it is not known to be. */
  add(arrival: Arrival): Promise<Outcome>;
  /** Resolves when nothing is waiting or committing. */
  idle(): Promise<void>;
};

/**
 * Groups requests into transactions. There is no timer while idle: the first request starts a transaction at the next turn of
 * the event loop, and whatever arrives while lanes are busy forms the next batch.
 */
export function createBatcher(
  commit: (batch: readonly Arrival[]) => Promise<Settled[]>,
  { limits, clock }: { limits: BatchLimits; clock: Clock },
): Batcher {
  let waiting: Waiting[] = [];
  let waitingBytes = 0;
  let busy = 0;
  let underWay = 0;
  let isStarting = false;
  let gathering: AbortController | null = null;
  let idleWaiters: (() => void)[] = [];

  return {
    add(arrival) {
      const bytes = arrival.request.body.length;
      if (waiting.length >= limits.waitingRequestsMax || waitingBytes + bytes > limits.waitingBytesMax) {
        return Promise.reject(new Unavailable("Too many requests are waiting to be stored"));
      }
      const done = Promise.withResolvers<Outcome>();
      waiting.push({ arrival, bytes, since: clock.monotonic(), ...done });
      waitingBytes += bytes;
      gather();
      return done.promise;
    },
    idle() {
      if (busy === 0 && waiting.length === 0) return Promise.resolve();
      return new Promise((resolve) => idleWaiters.push(resolve));
    },
  };

  /**
   * A transaction costs as much as ten events, so a second one starts when it is worth it: as many wait as are under way, which
   * keeps the two of equal size, or the first one takes long.
   */
  function gather(): void {
    if (isStarting || busy >= limits.lanes || waiting.length === 0) return;
    if (busy === 0 || waiting.length >= underWay) return start();
    if (gathering) return;
    const mine = (gathering = new AbortController());
    void clock.sleep(limits.waitMs, mine.signal).then(() => {
      if (gathering === mine) start();
    });
  }

  function start(): void {
    gathering?.abort(notNeeded);
    gathering = null;
    isStarting = true;
    setImmediate(() => {
      isStarting = false;
      if (busy < limits.lanes && waiting.length > 0) void run(take());
      gather();
    });
  }

  async function run(batch: readonly Waiting[]): Promise<void> {
    busy++;
    underWay += batch.length;
    const [oldest] = batch;
    const patience = new AbortController();
    const left = limits.answerDeadlineMs - (clock.monotonic() - (oldest?.since ?? 0));
    void clock.sleep(Math.max(0, left), patience.signal).then(() => {
      if (patience.signal.aborted) return;
      for (const one of batch) one.reject(new Unavailable("Storing took too long"));
    });
    try {
      const settled = await commit(batch.map((one) => one.arrival));
      for (const [index, one] of batch.entries()) {
        const result = settled[index];
        if (result?.ok) one.resolve(result.outcome);
        else one.reject(new Unavailable(result?.message ?? "Storing failed"));
      }
    } catch (error) {
      for (const one of batch) one.reject(new Unavailable("Storing failed", error));
    } finally {
      patience.abort(notNeeded);
      busy--;
      underWay -= batch.length;
      gather();
      if (busy === 0 && waiting.length === 0) {
        for (const resolve of idleWaiters) resolve();
        idleWaiters = [];
      }
    }
  }

  function take(): Waiting[] {
    let events = 0;
    let bytes = 0;
    let count = 0;
    for (const one of waiting) {
      if (count > 0 && (events + one.arrival.events.length > limits.eventsMax || bytes + one.bytes > limits.bytesMax))
        break;
      events += one.arrival.events.length;
      bytes += one.bytes;
      count++;
    }
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    waitingBytes -= bytes;
    return batch;
  }
}

/** A reason of our own: without one every abort makes an error with a stack, some percent of the processor under load. */
const notNeeded = "not needed";

type Waiting = PromiseWithResolvers<Outcome> & {
  readonly arrival: Arrival;
  readonly bytes: number;
  readonly since: number;
};
