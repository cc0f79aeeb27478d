import { useEffect, useRef } from "react";

import type { StreamItem, Topic } from "../stream.ts";
import { useCallStream } from "./use-call-stream.ts";

/**
 * Keeps what was loaded up to date; null for what is not live. It is loaded once more when the stream begins: what happened
 * between the answer and the beginning is in neither. After a cut the stream itself brings what was missed.
 */
export function useLive(topic: Topic | null, reload: () => void, listen: (item: StreamItem) => void): void {
  const { status } = useCallStream(topic === null ? [] : [topic], (item) => {
    if (item.event === "reset") reload();
    else listen(item);
  });
  const begun = useRef<Topic | null>(null);
  useEffect(() => {
    if (status === "idle") begun.current = null;
    if (status !== "live" || begun.current === topic) return;
    begun.current = topic;
    reload();
  }, [status, topic, reload]);
}
