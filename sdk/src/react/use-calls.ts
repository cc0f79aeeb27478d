import { useState } from "react";

import type { InputOf } from "../client.ts";
import type { Call, LiveCall } from "../contract.ts";
import { useAftercall } from "./provider.tsx";
import { useAnswer } from "./use-answer.ts";
import type { LiveOption } from "./use-call.ts";
import { useLive } from "./use-live.ts";

export type CallsState = {
  /** Newest first. Rows keep their place while they change. */
  readonly calls: readonly Call[];
  /** Calls that began since and are not in the list, with `live`: `refresh` brings them in. */
  readonly newCount: number;
  readonly hasMore: boolean;
  /** Appends the next page. */
  readonly loadMore: () => void;
  readonly loading: boolean;
  readonly error: unknown;
  readonly refresh: () => void;
};

export type CallsQuery = Omit<NonNullable<InputOf<"listCalls">>, "cursor">;

type Loaded = { readonly calls: readonly Call[]; readonly next: string | null; readonly began: ReadonlySet<string> };

/** A list of calls, page after page. */
export function useCalls(query: CallsQuery = {}, { live = false }: LiveOption = {}): CallsState {
  const client = useAftercall();
  const [isLoadingMore, setLoadingMore] = useState(false);
  const [moreError, setMoreError] = useState<unknown>(null);
  const { answer, loading, error, refresh, reload, patch } = useAnswer<Loaded>({
    source: client,
    key: JSON.stringify(query),
    async load(signal) {
      const { data, next_cursor: next } = await client.listCalls(query, { signal });
      return { calls: data, next, began: new Set() };
    },
  });

  useLive(live ? "calls" : null, reload, (item) => {
    if (item.event === "call") patch((loaded) => heard(loaded, { query, ...item.data }));
  });

  const loadMore = () => {
    const cursor = answer?.next;
    if (!cursor || isLoadingMore) return;
    setLoadingMore(true);
    setMoreError(null);
    const append = async () => {
      const { data, next_cursor: next } = await client.listCalls({ ...query, cursor });
      // Only to the page that it follows: the list may have been loaded anew meanwhile.
      patch((loaded) => (loaded.next === cursor ? { ...loaded, calls: [...loaded.calls, ...data], next } : loaded));
    };
    append()
      .catch(setMoreError)
      .finally(() => setLoadingMore(false));
  };

  return {
    calls: answer?.calls ?? [],
    newCount: answer?.began.size ?? 0,
    hasMore: typeof answer?.next === "string",
    loadMore,
    loading: loading || isLoadingMore,
    error: error ?? moreError,
    refresh,
  };
}

/** The list after something happened to a call. */
function heard(loaded: Loaded, { query, types, call }: Heard): Loaded {
  const calls = loaded.calls.map((one) =>
    one.id === call.id && call.version > one.version ? { ...one, ...call } : one,
  );
  const isNew = types.includes("call.started") && !calls.some(({ id }) => id === call.id) && isWanted(query, call);
  return { ...loaded, calls, began: isNew ? new Set([...loaded.began, call.id]) : loaded.began };
}

type Heard = { readonly query: CallsQuery; readonly types: readonly string[]; readonly call: LiveCall };

function isWanted({ status, provider, campaign }: CallsQuery, call: LiveCall): boolean {
  if (status && !status.includes(call.status)) return false;
  return (
    (provider === undefined || provider === call.provider) && (campaign === undefined || campaign === call.campaign_id)
  );
}
