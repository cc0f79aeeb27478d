import type { Call } from "../contract.ts";
import type { Topic } from "../stream.ts";
import { useAftercall } from "./provider.tsx";
import { useAnswer } from "./use-answer.ts";
import { useCallStream } from "./use-call-stream.ts";

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
  const topics: Topic[] = live ? [`call:${id}`] : [];
  useCallStream(topics, (item) => {
    // What the item has is shown at once, the whole record follows.
    if (item.event === "call")
      patch((call) => (item.data.call.version > call.version ? { ...call, ...item.data.call } : call));
    if (item.event !== "transcription") reload();
  });
  return { call: answer, loading, error, refresh };
}
