import type { ResendMode } from "@aftercall/contract/resend.ts";

import type { ResendFilter } from "./store.ts";

/** Everything that decides what a resend sends. It means the same in the count before and in every step. */
export type Selection = {
  readonly tenantId: string;
  readonly mode: ResendMode;
  readonly filter: ResendFilter;
  /** What is younger is not part of it. */
  readonly upperAt: string;
  /** Null: each to the endpoint it was meant for. */
  readonly toEndpointId: string | null;
  /** Whether disabled endpoints count as enabled. */
  readonly isForced: boolean;
};

/** A message for an endpoint. */
export type Candidate = {
  readonly delivery_id: string | null;
  readonly message_id: string;
  readonly endpoint_id: string;
  readonly type: string;
  readonly call_id: string | null;
  readonly accepted_at: Date;
};

/**
 * One to be sent. `needs`: what must still be so when it is written, lest two resends send the same: the delivery is in the
 * undelivered list, or the message went to no endpoint.
 */
export type Picked = Candidate & { readonly needs: "undelivered" | "unrouted" | "nothing" };

export type Cursor = { readonly at: string | null; readonly id: string };

/** A page of a selection. */
export type Found = {
  readonly picks: readonly Picked[];
  /** The last one that was looked at; null: there was none. */
  readonly cursor: Cursor | null;
  readonly isEnd: boolean;
};
