import type { Call } from "../contract.ts";
import { useAftercall } from "./provider.tsx";
import { useAnswer } from "./use-answer.ts";
import { useLive } from "./use-live.ts";

export type LiveOption = {
  /** Whether it changes as soon as something happens. */
  readonly live?: boolean;
};

export type CallState = {
  readonly call: Call | null;
  readonly loading: boolean;
  /** An `AftercallError`, or whatever the token's function threw. */
  readonly error: unknown;
  readonly refresh: () => void;
};

/** One call by its id. */
export function useCall(id: string, { live = false }: LiveOption = {}): CallState {
  const client = useAftercall();
  const { answer, loading, error, refresh, reload, patch } = useAnswer({
    source: client,
    key: id,
    load: (signal) => client.getCall(id, { signal }),
  });
  useLive(live ? `call:${id}` : null, reload, (item) => {
    if (item.event !== "call") return;
    // What the item has is shown at once, the whole record follows.
    patch((call) => (item.data.call.version > call.version ? { ...call, ...item.data.call } : call));
    reload();
  });
  return { call: answer, loading, error, refresh };
}
