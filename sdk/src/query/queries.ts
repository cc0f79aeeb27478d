import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import type { Client, InputOf } from "../client.ts";
import { getCallOutcome } from "../outcome.ts";

/** Everything of ours in the cache is below these keys. */
export const queryKeys = {
  call: (id: string) => ["aftercall", "call", id] as const,
  calls: ["aftercall", "calls"] as const,
  campaign: (id: string) => ["aftercall", "campaign", id] as const,
  campaigns: ["aftercall", "campaigns"] as const,
};

/**
 * Query options about calls for TanStack Query.
 *
 * ```ts
 * const calls = callQueries(aftercall);
 * const { data: call } = useQuery(calls.detail(id));
 * ```
 */
export function callQueries(client: Client) {
  return {
    detail: (id: string) =>
      queryOptions({ queryKey: queryKeys.call(id), queryFn: ({ signal }) => client.getCall(id, { signal }) }),
    transcript: (id: string) =>
      queryOptions({
        queryKey: [...queryKeys.call(id), "transcript"] as const,
        queryFn: ({ signal }) => client.getTranscript(id, { signal }),
      }),
    outcome: (callId: string, userId: string) =>
      queryOptions({
        queryKey: [...queryKeys.call(callId), "outcome", userId] as const,
        queryFn: ({ signal }) => getCallOutcome(callId, userId, { ...client.connection, signal }),
      }),
    /** Page after page: `useInfiniteQuery(calls.list({ status: ["ended"] }))`. */
    list: (query: Omit<NonNullable<InputOf<"listCalls">>, "cursor"> = {}) =>
      infiniteQueryOptions({
        queryKey: [...queryKeys.calls, query] as const,
        queryFn: ({ signal, pageParam }) =>
          client.listCalls({ ...query, ...(pageParam !== null && { cursor: pageParam }) }, { signal }),
        initialPageParam: null as string | null,
        getNextPageParam: (page) => page.next_cursor,
      }),
  };
}

/** Query options about campaigns for TanStack Query. */
export function campaignQueries(client: Client) {
  return {
    detail: (id: string) =>
      queryOptions({ queryKey: queryKeys.campaign(id), queryFn: ({ signal }) => client.getCampaign(id, { signal }) }),
    list: () =>
      infiniteQueryOptions({
        queryKey: queryKeys.campaigns,
        queryFn: ({ signal, pageParam }) =>
          client.listCampaigns(pageParam === null ? {} : { cursor: pageParam }, { signal }),
        initialPageParam: null as string | null,
        getNextPageParam: (page) => page.next_cursor,
      }),
  };
}
