import type { CostLine } from "@aftercall/contract/analysis/engine.ts";
import type { CallDirection, CallRecording, Money, RecordingInfo } from "@aftercall/contract/call.ts";

import type { ProviderAnalysis } from "./analysis.ts";

/** What can be known about a call. Absent and null both mean: not said. Times are epoch milliseconds. */
export type Facts = {
  readonly direction?: CallDirection | null;
  readonly from_number?: string | null;
  readonly to_number?: string | null;
  readonly started_at?: number | null;
  readonly answered_at?: number | null;
  readonly ended_at?: number | null;
  readonly duration_ms?: number | null;
  readonly ended_reason?: string | null;
  readonly cost?: Money | null;
  /** ElevenLabs credits: not money. */
  readonly cost_credits?: number | null;
  /** What the parts of the call cost, as the provider says. */
  readonly cost_lines?: readonly CostLine[] | null;
  readonly recording?: RecordingInfo | null;
  /** What became of our own copy of it. No provider says this: the pipeline does. */
  readonly kept_recording?: KeptRecording | null;
  /** A recording of this call is to be expected although none was announced. */
  readonly awaits_recording?: true | null;
  readonly summary?: string | null;
  readonly language?: string | null;
  readonly call_successful?: string | null;
  /** The provider's analysis object as sent. */
  readonly analysis?: Readonly<Record<string, unknown>> | null;
  /** The same in our words, with what stands elsewhere in the message: kept as a run beside ours. */
  readonly provider_analysis?: ProviderAnalysis | null;
  /** The provider's metadata object as sent (ElevenLabs). */
  readonly provider_metadata?: Readonly<Record<string, unknown>> | null;
  /** Twilio AnsweredBy: human, machine_…, fax. */
  readonly answered_by?: string | null;
  readonly transferred_to?: string | null;
  /** How often each side broke in on the other, as the provider counted. */
  readonly interruptions?: { readonly agent: number; readonly customer: number } | null;
  /** The campaign as the provider or the caller of our API names it. */
  readonly campaign?: string | null;
  readonly agent_id?: string | null;
  readonly agent_name?: string | null;
  readonly customer_name?: string | null;
  readonly lead_id?: string | null;
  readonly business_id?: string | null;
  readonly city?: string | null;
  readonly service_category?: string | null;
  readonly metadata?: Readonly<Record<string, unknown>> | null;
  readonly failure_reason?: string | null;
  readonly has_sip_participant?: true | null;
  readonly room_name?: string | null;
  readonly room_created_at?: number | null;
  readonly participant_identity?: string | null;
  readonly disconnect_reason?: string | null;
  readonly sip_call_id?: string | null;
  readonly purpose?: "training" | null;
  /** Brought in from a file, and not to be told to endpoints. */
  readonly is_quiet?: true | null;
  /** The trace that the request belongs to which told of it: what is sent because of it goes on with it. */
  readonly traceparent?: string | null;
};

/** `id`: of the stored copy; null where there is none. */
export type KeptRecording = Omit<CallRecording, "url"> & { readonly id: string | null };

export type FactName = keyof Facts;
