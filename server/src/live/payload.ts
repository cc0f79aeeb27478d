import type { CallDirection, CallOutcome, CallStatus } from "@aftercall/contract/call.ts";
import type { Campaign } from "@aftercall/contract/campaign.ts";
import type { DeliveryItem, EndpointItem, LiveCallType, LiveTurn } from "@aftercall/contract/live.ts";

/*
 * What is stored of a change. It is written by every intake transaction and read only where somebody listens, so it is kept
 * as it comes: times as epoch milliseconds, ids as they are in the tables, what is null left out. Readers make it presentable.
 */

/** How a call came to its end in the sense of the socket: with all its results, or without anybody having answered. */
export type Ending = "completed" | "failed";

export type AliasPairs = readonly (readonly [kind: string, value: string])[];

export type CallPayload = {
  readonly types: LiveCallType[];
  readonly at: number;
  readonly version: number;
  readonly provider: string;
  readonly status: CallStatus;
  readonly outcome?: CallOutcome | undefined;
  readonly direction?: CallDirection | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly started_at?: number | undefined;
  readonly answered_at?: number | undefined;
  readonly ended_at?: number | undefined;
  readonly duration_ms?: number | undefined;
  /** The tenant's end-customer that the call belongs to, where one is known. */
  readonly business_id?: string | undefined;
  readonly aliases: AliasPairs;
  /** Records that were joined to the call. */
  readonly doubles?: readonly string[] | undefined;
  readonly ending?: Ending | undefined;
  /** The transcript that is there now, of a call of which nobody could hear what was said while it was. */
  readonly transcript_id?: string | undefined;
};

export type TurnPayload = {
  readonly at: number;
  readonly turn: LiveTurn;
  readonly business_id?: string | undefined;
  readonly aliases: AliasPairs;
};

/** Written only where somebody wants it, and so as it is told. */
export type DeliveryPayload = DeliveryItem | EndpointItem;

export type CampaignPayload = { readonly at: number; readonly campaign: Campaign };
