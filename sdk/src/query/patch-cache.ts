import type { InfiniteData, QueryClient } from "@tanstack/react-query";

import type { Call, LiveCall } from "../contract.ts";
import type { Page } from "../paginate.ts";
import type { StreamItem } from "../stream.ts";
import { queryKeys } from "./queries.ts";

/**
 * Brings what happened into the cache: what the item has is shown at once, the rest is fetched again.
 *
 * ```ts
 * useCallStream(["calls"], (item) => patchCache(queryClient, item));
 * ```
 */
export function patchCache(queryClient: QueryClient, item: StreamItem): void {
  const stale = (queryKey: readonly unknown[]) => void queryClient.invalidateQueries({ queryKey });
  switch (item.event) {
    case "call": {
      const { call } = item.data;
      queryClient.setQueryData<Call>(queryKeys.call(call.id), (known) => known && newer(known, call));
      queryClient.setQueriesData<InfiniteData<Page<Call>>>(
        { queryKey: queryKeys.calls },
        (list) => list && heard(list, call),
      );
      stale(queryKeys.call(call.id));
      if (item.data.types.includes("call.started")) stale(queryKeys.calls);
      if (call.campaign_id !== null) stale(queryKeys.campaign(call.campaign_id));
      break;
    }
    case "campaign":
      queryClient.setQueryData(queryKeys.campaign(item.data.campaign.id), item.data.campaign);
      stale(queryKeys.campaigns);
      break;
    case "reset":
      stale(["aftercall"]);
      break;
    case "transcription":
    case "delivery":
    case "endpoint":
      break;
  }
}

function heard(list: InfiniteData<Page<Call>>, call: LiveCall): InfiniteData<Page<Call>> {
  const pages = list.pages.map((page) => ({
    ...page,
    data: page.data.map((known) => (known.id === call.id ? newer(known, call) : known)),
  }));
  return { ...list, pages };
}

function newer(known: Call, call: LiveCall): Call {
  return call.version > known.version ? { ...known, ...call } : known;
}
