import type { CallOutcome, CallStatus, Transcript } from "@aftercall/contract/call.ts";
import type { LiveTurn } from "@aftercall/contract/live.ts";
import type { MomentKind } from "@aftercall/contract/moment.ts";
import type { z } from "zod";

import type { Facts } from "./facts.ts";
import type { LargeBodies } from "./large.ts";
import type { Moment } from "./moment.ts";
import type { Pull } from "./pull.ts";
import type { RecordingAsk, RecordingInput } from "./recording.ts";

export type { FactName, Facts } from "./facts.ts";

/** What a provider is: pure functions over the bytes of a webhook. Database, network and clock are others'. */
export interface Provider<Setup extends z.ZodType = z.ZodType> {
  /** Folder name and the word in URLs, SQL and logs: `vapi`. */
  readonly name: string;
  /** The name people know: `Vapi`. */
  readonly title: string;
  /** Which kind of name the provider's own id of a call is. */
  readonly callAlias: AliasKind;
  /** Settings of one source; forms, validation and docs are drawn from it. Every field has a default and a description. */
  readonly setup: Setup;
  /** Which secrets a source of this provider may hold, and which environment variables fill its default source. */
  readonly secrets: readonly SecretSlot[];
  /** Paths kept byte for byte from the system this provider's users come from. */
  readonly givenRoutes: readonly GivenRoute[];
  /** Whether an event for an unknown call on a given route makes the call, as the given system does, or waits for it. */
  readonly givenRoutesCreate: boolean;
  /** Essences of content types that are accepted; any other is 415. `json` also takes `application/*+json`. */
  readonly accepts: readonly ("json" | "form")[];
  /** Largest body in bytes; larger is 413. */
  readonly bodyBytesMax: number;
  /** Decides whether the bytes come from the provider. Constant time, raw bytes, every active secret is tried. */
  verify(input: VerifyInput<z.infer<Setup>>): Verification;
  /** Reads a verified body. Throws {@link MalformedBody} for what can never be understood. */
  parse(input: ParseInput<z.infer<Setup>>): CallEvent[];
  /** Reads what our own server noted of a call that it carried itself; absent: it carries none of this provider's. */
  readonly bridge?: {
    /** The type of the events that carry a recording. */
    readonly recorded: string;
    /** Throws {@link MalformedBody} for what is no note. */
    read(input: ParseInput<z.infer<Setup>>): CallEvent[];
  };
  /** Where a recording is and how it is asked for, the best way first; absent: at the URL that the provider named. */
  recordings?(input: RecordingInput<z.infer<Setup>>): readonly RecordingAsk[];
  /** How its API is asked for what a lost webhook would have said; absent: it has none, or none that is known. */
  readonly pull?: Pull<z.infer<Setup>>;
  /** Which moments of a call its report tells all of: where it has come, none of a kind means that there was none. */
  readonly tells?: readonly MomentKind[];
  /** Larger bodies that carry a recording; absent: there are none, and what is larger is refused. */
  readonly large?: LargeBodies<z.infer<Setup>>;
  /** The HTTP answer for what became of a request. */
  answer(receipt: Receipt, setup: z.infer<Setup>): Answer;
}

/** Ties the type of `setup` to the functions that read it. */
export function defineProvider<Setup extends z.ZodType>(provider: Provider<Setup>): Provider<Setup> {
  return provider;
}

/** A kind of secret that a source can hold. Several of one slot may be active at once (rotation). */
export type SecretSlot = {
  /** `secret`, `api_secret`, … */
  readonly slot: string;
  readonly title: string;
  /** Environment variables that fill the default source, first set one wins. */
  readonly env: readonly string[];
  /** Where the provider names its key (LiveKit API key): the variable that holds that name. */
  readonly keyIdEnv?: string;
  /** Length of a generated development secret in bytes; default 32. */
  readonly generate?: () => string;
};

export type GivenRoute = { readonly method: "POST"; readonly path: string };

/** One HTTP request as it came. Header names are lower case; a header that came twice has two values. */
export type ProviderRequest = {
  readonly method: string;
  /** The configured public URL of this route with the query as received; never rebuilt from Host. */
  readonly url: string;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
};

export type Secret = { readonly slot: string; readonly keyId: string | null; readonly value: string };

export type VerifyInput<Setup> = {
  readonly request: ProviderRequest;
  readonly secrets: readonly Secret[];
  readonly setup: Setup;
  /** Wall clock in milliseconds; null leaves every time check out, for a stale request that an operator runs again. */
  readonly nowMs: number | null;
};

export type RefusalCode =
  | "missing_header"
  | "malformed_header"
  | "bad_signature"
  | "bad_body_hash"
  | "timestamp_stale"
  | "timestamp_future"
  | "token_expired"
  | "unknown_api_key";

/** `scheme` names what was checked (`elevenlabs-v0`), and goes into the event log. */
export type Verification =
  | { readonly ok: true; readonly scheme: string }
  | { readonly ok: false; readonly code: RefusalCode };

export type ParseInput<Setup> = {
  readonly request: ProviderRequest;
  readonly setup: Setup;
  readonly receivedAtMs: number;
};

/** What {@link Provider.parse} throws. `field` is the name the provider's answer uses. */
export class MalformedBody extends Error {
  readonly field: string | null;
  constructor(message: string, field: string | null = null) {
    super(message);
    this.name = "MalformedBody";
    this.field = field;
  }
}

/** A name by which some system knows a call. Equal (kind, value) within a tenant means: the same call. */
export type Alias = { readonly kind: AliasKind; readonly value: string };
export type AliasKind =
  | "call_sid" // Twilio CallSid, also as seen by Vapi, ElevenLabs, LiveKit, Retell, OpenAI
  | "sip_call_id" // the carrier's SIP Call-ID
  | "vapi_call"
  | "conversation_id" // ElevenLabs
  | "room_sid" // LiveKit
  | "egress_id" // LiveKit
  | "sip_participant" // LiveKit SCL_…
  | "communication_id" // Wonderful
  | "generic"; // configured mapping

/**
 * What one webhook says, in our words. The parser decides nothing about the call as it stands:
 * an event is a claim, and calls/ joins claims.
 */
export type CallEvent = {
  /** Identity within the source: the same fact told twice has the same key. Hashed by intake when longer than 255 bytes. */
  readonly key: string;
  /** The provider's own word: `end-of-call-report`. */
  readonly type: string;
  /** When it happened by the provider's clock, milliseconds; null where the provider does not say. */
  readonly occurredAt: number | null;
  /** Names of the call, the provider's own id first. Empty: not about a call; recorded, nothing applied. */
  readonly aliases: readonly Alias[];
  /** False: an event the provider documents but that says nothing we act on (`ignored`, still recorded). */
  readonly isProcessable: boolean;
  /** False: an event type nobody knows. Recorded as well. */
  readonly isKnown: boolean;
  readonly heard: Heard | null;
  /** What the event states plainly. */
  readonly facts: Facts;
  /** What it only suggests (a direction read out of a room name): any stated fact wins over it. */
  readonly guesses: Facts;
  /** How good the evidence is, 1 to 9, usually 5. The heavier wins; then of final reports the earlier, of facts the later. */
  readonly weight: number;
  readonly transcript: Transcript | null;
  /** What happened inside the call besides talk. */
  readonly moments: readonly Moment[];
  /** What is being said at this moment, for those who listen live; the transcript of the call does not depend on it. */
  readonly turn: LiveTurn | null;
  /** True: nothing more of substance is expected from this provider for this call. */
  readonly isReport: boolean;
  /** True: a report of its own follows (Vapi's status-update `ended`), so `call.completed` waits for it, within a limit. */
  readonly awaitsReport: boolean;
  /** Wonderful: which training session the call belongs to. */
  readonly training: { readonly sessionId: string; readonly communicationId: string } | null;
  /** What the provider's own answer or frozen read route needs of this event. Small; kept as a fact of the event, not of the call. */
  readonly echo: Readonly<Record<string, string>>;
};

/** A status somebody reported. */
export type Heard = {
  readonly status: CallStatus;
  readonly outcome: CallOutcome | null;
  /** Counts only while this fact is unknown (a LiveKit agent's leave ends the call only if no SIP caller was seen). */
  readonly unless?: "has_sip_participant";
};

/** What became of a request; the provider turns it into its answer. */
export type Receipt =
  | { readonly kind: "stored"; readonly route: RouteKind; readonly results: readonly EventResult[] }
  | { readonly kind: "unauthorized"; readonly route: RouteKind; readonly code: RefusalCode }
  | { readonly kind: "malformed"; readonly route: RouteKind; readonly message: string; readonly field: string | null }
  | { readonly kind: "unavailable"; readonly route: RouteKind; readonly message: string }
  | { readonly kind: "too_many"; readonly route: RouteKind; readonly retryAfterSeconds: number };

/** `given`: a path kept from the provider's given system. `own`: /webhooks/:source. */
export type RouteKind = "given" | "own";

export type EventResult = {
  readonly event: CallEvent;
  readonly eventId: string;
  /** `applied` to a call · `repeat` of a stored event · `recorded` only (no call in it, or not processable) · `unmatched`: its call is not known yet. */
  readonly effect: "applied" | "repeat" | "recorded" | "unmatched";
  /** The call after the event (for a repeat: as it stands). */
  readonly call: CallView | null;
  /**
   * What became of the training session: `claimed` by this event, and `exists` where it was before. Who waited for the feedback
   * knows more: then these two mean that it is there; `pending`, that it is being made; `failed`, that it could not be made.
   */
  readonly training: "claimed" | "exists" | "unknown_session" | "pending" | "failed" | null;
  /** Set when applying failed although the event is stored: our own failure. */
  readonly problem: string | null;
};

/** What an answer may say about a call. */
export type CallView = {
  /** Public id, `call_…`. */
  readonly id: string;
  readonly status: CallStatus;
  readonly outcome: CallOutcome | null;
  readonly aliases: readonly Alias[];
};

export type Answer = {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** An event with everything unsaid left unsaid; parsers state only what they know. */
export function callEvent(given: Pick<CallEvent, "key" | "type"> & Partial<CallEvent>): CallEvent {
  return {
    occurredAt: null,
    aliases: [],
    isProcessable: true,
    isKnown: true,
    heard: null,
    facts: {},
    guesses: {},
    weight: 5,
    transcript: null,
    moments: [],
    turn: null,
    isReport: false,
    awaitsReport: false,
    training: null,
    echo: {},
    ...given,
  };
}

/** `{"a":1}` with its content type. */
export function jsonAnswer(status: number, body: unknown, headers?: Readonly<Record<string, string>>): Answer {
  return {
    status,
    body: JSON.stringify(body),
    contentType: "application/json; charset=utf-8",
    ...(headers && { headers }),
  };
}
