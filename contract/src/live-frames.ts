import { z } from "zod";

import { LiveTurn, DeliveryItem, EndpointItem, ResetItem } from "./live.ts";

/** Subprotocol of `/v1/ws` that the server accepts; a token is offered beside it as `bearer.<token>`. */
export const socketProtocol = "aftercall.v1";

/** Longest identifier: an id of a provider has at most 255 bytes. */
const Identifier = z.string().min(1).max(255);

/** The first frame of a client that sent no token as a subprotocol. */
export const AuthenticateFrame = z.strictObject({ action: z.literal("authenticate"), token: z.string().max(8_192) });
export const SubscribeFrame = z.strictObject({ action: z.literal("subscribe"), identifier: Identifier });
export const UnsubscribeFrame = z.strictObject({ action: z.literal("unsubscribe"), identifier: Identifier });
/** After a cut, before any subscription: everything of these that came after the cursor, in order, then what comes. */
export const ResumeFrame = z.strictObject({
  action: z.literal("resume"),
  cursor: z.string().min(1).max(2_000),
  identifiers: z.array(Identifier).min(1).max(500),
});
export const ClientFrame = z.discriminatedUnion("action", [
  AuthenticateFrame,
  SubscribeFrame,
  UnsubscribeFrame,
  ResumeFrame,
]);
export type ClientFrame = z.infer<typeof ClientFrame>;

/** What an identifier was taken for. */
export const IdentifierKind = z.enum([
  "all",
  "deliveries",
  "campaign",
  "call_sid",
  "conversation_id",
  "room_sid",
  "sip_call_id",
  "communication_id",
  "call",
  "uuid",
  "name",
]);
export type IdentifierKind = z.infer<typeof IdentifierKind>;

/**
 * From where a client goes on that has handled everything up to this frame: for `resume`. Opaque. A frame after which
 * something belonging to it follows has none: the answer to a subscription to a call that is over, and what comes in the
 * middle of a resume that begins anew or of turns that are told together.
 */
const Cursor = z.string();

export const AuthenticatedFrame = z.object({ type: z.literal("authenticated") });
export const SubscribedFrame = z.object({
  type: z.literal("subscribed"),
  identifier: z.string(),
  kind: IdentifierKind,
  /** Null while no call of this name is known; the subscription stays and takes hold when the call appears. */
  call_id: z.string().nullable(),
  cursor: Cursor.optional(),
});
export const UnsubscribedFrame = z.object({ type: z.literal("unsubscribed"), identifier: z.string() });
/** What was missed since the cursor of `resume` has been told; from here on it is live. */
export const ResumedFrame = z.object({ type: z.literal("resumed"), cursor: Cursor });
/** In place of what was missed: it cannot be told. The completions of calls that are over follow, then `resumed`. */
export const ResetFrame = z.object({ type: z.literal("reset"), ...ResetItem.shape });
/** Every half a minute, with the ping: nothing happened, and from here it goes on. */
export const HeartbeatFrame = z.object({ type: z.literal("heartbeat"), cursor: Cursor });

/** Codes of an error frame. Errors that end the connection are followed by the close. */
export const SocketErrorCode = z.enum([
  "unauthorized",
  "malformed",
  "unknown_action",
  "too_many_subscriptions",
  "too_late_to_resume",
  "forbidden",
  "unavailable",
]);
export type SocketErrorCode = z.infer<typeof SocketErrorCode>;
export const ErrorFrame = z.object({ type: z.literal("error"), code: SocketErrorCode, message: z.string() });

const named = {
  /** The same in both frames of a pair, and whenever the pair is sent again. */
  event_id: z.string(),
  call_id: z.string(),
  conversation_id: z.string().nullable(),
  call_sid: z.string().nullable(),
};

/** First frame of a completion: how the call ended. Without a cursor: nobody goes on between the two. */
export const StatusFrame = z.object({
  type: z.literal("status"),
  ...named,
  status: z.enum(["COMPLETED", "FAILED"]),
  at: z.string(),
});
export type StatusFrame = z.infer<typeof StatusFrame>;

/** Second frame of a completion, straight after the first: what is known of the call. */
export const DataFrame = z.object({
  type: z.literal("data"),
  ...named,
  data: z.object({
    call_end_time: z.string().nullable(),
    call_duration_seconds: z.number().int().nullable(),
    /** In the unit of the provider: credits for ElevenLabs, else an amount of money. */
    cost: z.number().nullable(),
    call_successful: z.string().nullable(),
    transcript_summary: z.string().nullable(),
    analysis: z.record(z.string(), z.unknown()).nullable(),
    metadata: z.record(z.string(), z.unknown()).nullable(),
    /** Of a call that failed. */
    failure_reason: z.string().nullable().optional(),
  }),
  cursor: Cursor.optional(),
});
export type DataFrame = z.infer<typeof DataFrame>;

export const TranscriptionFrame = z.object({
  type: z.literal("transcription"),
  call_id: z.string(),
  turn: LiveTurn,
  cursor: Cursor.optional(),
});
export type TranscriptionFrame = z.infer<typeof TranscriptionFrame>;

export const DeliveryFrame = z.object({ type: z.literal("delivery"), ...DeliveryItem.shape, cursor: Cursor });
export const EndpointFrame = z.object({ type: z.literal("endpoint"), ...EndpointItem.shape, cursor: Cursor });

/** Everything the server says on `/v1/ws`. */
export const ServerFrame = z.discriminatedUnion("type", [
  AuthenticatedFrame,
  SubscribedFrame,
  UnsubscribedFrame,
  ResumedFrame,
  ResetFrame,
  HeartbeatFrame,
  ErrorFrame,
  StatusFrame,
  DataFrame,
  TranscriptionFrame,
  DeliveryFrame,
  EndpointFrame,
]);
export type ServerFrame = z.infer<typeof ServerFrame>;

/** The frames by name, for the AsyncAPI document. */
export const socketFrames = {
  received: {
    authenticate: AuthenticateFrame,
    subscribe: SubscribeFrame,
    unsubscribe: UnsubscribeFrame,
    resume: ResumeFrame,
  },
  sent: {
    authenticated: AuthenticatedFrame,
    subscribed: SubscribedFrame,
    unsubscribed: UnsubscribedFrame,
    resumed: ResumedFrame,
    reset: ResetFrame,
    heartbeat: HeartbeatFrame,
    error: ErrorFrame,
    status: StatusFrame,
    data: DataFrame,
    transcription: TranscriptionFrame,
    delivery: DeliveryFrame,
    endpoint: EndpointFrame,
  },
} as const;
