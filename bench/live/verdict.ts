import type { Latency } from "../load/percentiles.ts";
import type { Heard } from "./clients.ts";
import type { Cost } from "./memory.ts";

/** To reach: memory of a connection, and the 99th percentile of the time from commit to client. */
export const bytesMax = 20_000;
export const p99MsMax = 100;

/** Of fewer clients the memory drowns in what a server takes for itself. */
const measurableFrom = 1_000;

/** What came of one part of a run. */
export type Outcome = Pick<Heard, "missed" | "repeated"> & {
  readonly sent_to_client: Latency;
  readonly messages: number;
};

/**
 * What a run did not reach, in words; nothing when all is well. Nobody outside of the server sees the moment of the commit: it
 * lies between the first byte of the webhook and its answer. So the target is held against the time since the first byte, which
 * is longer than what it is about; that the time since the answer is shorter would prove nothing.
 */
export function faultsOf(
  costs: readonly Cost[],
  paced: Outcome,
  parts: Readonly<Record<string, Outcome>>,
): readonly string[] {
  const large = costs.filter(({ count, objects }) => count >= measurableFrom && objects > bytesMax);
  const { p99 } = paced.sent_to_client;
  return [
    ...large.map(({ kind }) => `a ${kind} takes more than ${bytesMax} bytes`),
    ...(p99 <= p99MsMax ? [] : [`p99 of webhook → client is ${p99.toFixed(1)} ms, more than ${p99MsMax}`]),
    ...Object.entries(parts).flatMap(([part, { missed, repeated, messages }]) => [
      ...(messages > 0 ? [] : [`${part}: nobody heard anything`]),
      ...(missed.streams + missed.sockets === 0 ? [] : [`${part}: ${missed.streams + missed.sockets} updates missed`]),
      ...(repeated.streams + repeated.sockets === 0
        ? []
        : [`${part}: ${repeated.streams + repeated.sockets} updates heard twice`]),
    ]),
  ];
}
