/** Calls `stop` when the signal aborts, unless what is given back was called before. */
export type WhenAborted = (signal: AbortSignal | undefined, stop: () => void) => () => void;

/**
 * One listener for each signal, whatever hangs on it: a signal compares each new listener with all it has, and a worker hangs
 * hundreds of requests on one.
 */
export function createStops(): WhenAborted {
  const stopsOf = new WeakMap<AbortSignal, Set<() => void>>();
  return (signal, stop) => {
    if (!signal) return () => {};
    const stops = stopsOf.get(signal) ?? listenTo(signal);
    stops.add(stop);
    return () => void stops.delete(stop);
  };

  function listenTo(signal: AbortSignal): Set<() => void> {
    const stops = new Set<() => void>();
    stopsOf.set(signal, stops);
    signal.addEventListener("abort", () => stops.forEach((stop) => stop()), { once: true });
    return stops;
  }
}
