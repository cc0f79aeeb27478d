import { useEffect, useRef, useState } from "react";

import { openStream, type StreamItem, type StreamStatus, type Topic } from "../stream.ts";
import { useAftercall } from "./provider.tsx";

export type CallStream = {
  /** `idle` without topics; `failed` when the server refused, see `error`. */
  readonly status: StreamStatus | "idle" | "failed";
  readonly error: unknown;
};

/**
 * Calls `listen` with everything that happens to these topics, for as long as the component is there. Each use is one
 * connection, so use it high up; browsers allow six to a server that does not speak HTTP/2.
 */
export function useCallStream(topics: readonly Topic[], listen: (item: StreamItem) => void): CallStream {
  const { connection } = useAftercall();
  const [state, setState] = useState<CallStream>({ status: "idle", error: null });
  const listener = useRef(listen);
  const key = topics.join(" ");

  useEffect(() => {
    listener.current = listen;
  });

  useEffect(() => {
    if (key === "") {
      setState({ status: "idle", error: null });
      return undefined;
    }
    const leaving = new AbortController();
    const { signal } = leaving;
    const say = (told: CallStream) => {
      if (!signal.aborted) setState(told);
    };
    const follow = async () => {
      const onStatus = (status: StreamStatus) => say({ status, error: null });
      // Topics have no spaces: ids have none.
      for await (const item of openStream(connection, { topics: key.split(" ") as Topic[], signal, onStatus })) {
        if (!signal.aborted) listener.current(item);
      }
    };
    follow().catch((error: unknown) => say({ status: "failed", error }));
    return () => leaving.abort();
  }, [connection, key]);
  return state;
}
