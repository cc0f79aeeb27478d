import type { Clock } from "#/kernel/clock.ts";
import type { SocketWire } from "#/kernel/net/web-socket.ts";

import { bridgeLimits } from "./limits.ts";

/** Pings until the signal aborts, and ends a wire whose other side has not answered by the next ping. Tell it of every pong. */
export function keepAlive(wire: Pick<SocketWire, "ping" | "terminate">, clock: Clock, signal: AbortSignal): () => void {
  let isAnswered = true;
  void run();
  return () => {
    isAnswered = true;
  };

  async function run(): Promise<void> {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- One ping after the other.
      await clock.sleep(bridgeLimits.pingMs, signal);
      if (signal.aborted) return;
      if (!isAnswered) return wire.terminate();
      isAnswered = false;
      wire.ping();
    }
  }
}
