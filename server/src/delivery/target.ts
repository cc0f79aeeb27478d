import type { KeyObject } from "node:crypto";

import type {
  EndpointAuth,
  EndpointDirection,
  EndpointKind,
  Order,
  Rate,
  Signature,
} from "@aftercall/contract/endpoint.ts";
import type { CustomHeader } from "@aftercall/contract/endpoint/headers.ts";
import type { MappingStep } from "@aftercall/contract/endpoint/mapping.ts";

import type { Matcher } from "./filter.ts";
import type { BodyForm } from "./formats/format.ts";
import type { SigningKey } from "./sign.ts";

/** An enabled endpoint as routing and sending need it: everything an attempt takes without asking the database. */
export type Target = {
  readonly tenantId: string;
  readonly id: string;
  /** Changes with every change of the endpoint or its secrets. */
  readonly version: string;
  readonly url: string;
  /** Where every second attempt goes. */
  readonly fallbackUrl: string | null;
  readonly kind: EndpointKind;
  readonly types: readonly string[];
  readonly direction: EndpointDirection;
  /** UUIDs; null: all. */
  readonly campaignIds: ReadonlySet<string> | null;
  /** Campaigns of its tenant whose messages wait at this time. UUIDs. */
  readonly pausedCampaignIds: ReadonlySet<string>;
  readonly channels: ReadonlySet<string> | null;
  readonly filter: Matcher | null;
  readonly bodyForm: BodyForm;
  /** What is made of the bytes before they are sent; null: nothing. */
  readonly mapping: readonly MappingStep[] | null;
  /** Whether CloudEvents are sent in binary mode. */
  readonly isBinary: boolean;
  readonly scheduleMs: readonly number[];
  /** Instead of it, by type or `noun.*`. */
  readonly typeSchedulesMs: ReadonlyMap<string, readonly number[]>;
  readonly timeoutMs: number;
  readonly inFlightMax: number;
  readonly isPaused: boolean;
  readonly rate: Rate | null;
  readonly order: Order;
  /** Ranges of status codes after which nothing is tried again, both ends included. */
  readonly noRetry: readonly (readonly [number, number])[];
  readonly isBreakerOn: boolean;
  readonly isAutoDisabledOn: boolean;
  /** Wants call.completed once more when late data changes what was made of a call. */
  readonly resendsOnLate: boolean;
  /** Until when its health keeps first attempts in memory from it, as `Clock.monotonic` says; 0: not at all. */
  readonly gatedUntil: number;
  /** Blocks that are not public and that the operator opened for its tenant. */
  readonly privateTargets: readonly string[];
  readonly headers: readonly CustomHeader[];
  readonly auth: EndpointAuth | null;
  readonly signature: Signature;
  /** Signs the headers of the profile in place of the keys. */
  readonly profileKey: KeyObject | null;
  /** Newest first. */
  readonly keys: readonly TargetKey[];
};

export type TargetKey = {
  readonly key: SigningKey;
  /** The whole text of a `whsec_…` as a key, for profiles; null for other kinds. */
  readonly textKey: KeyObject | null;
  readonly expiresAtMs: number | null;
};

/** A delivery that this process has claimed and may send. */
export type HandOff = {
  readonly tenantId: string;
  readonly deliveryId: string;
  readonly claimId: string;
  readonly messageId: string;
  readonly type: string;
  /** When the webhook that caused the message was received, epoch milliseconds. */
  readonly receivedAtMs: number;
  readonly target: Target;
  /** Which of its forms the body has. */
  readonly form: string;
  readonly body: Buffer;
  /** Attempts made before, all of them. */
  readonly attemptCount: number;
  /** Of these, the ones made by hand: they are no steps of the schedule. */
  readonly manualCount: number;
  /** Whether this attempt is one made by hand. */
  readonly isManual: boolean;
  /** Not a first attempt: it takes a slot of those kept for retries. */
  readonly isRetry: boolean;
  /** Whether what becomes of it says something about the endpoint: not when somebody sends it again. */
  readonly isCounted: boolean;
  /** Processes in a row that ended while they had it. */
  readonly lostCount: number;
  /** It had been given up before somebody had it sent again. */
  readonly wasExhausted: boolean;
  /** Which line of messages it belongs to, as receivers see it, and its number there; null: none. */
  readonly orderKey: string | null;
  readonly sequence: number | null;
  /** The first number before it that has not arrived, where the endpoint wants order. */
  readonly gap: number | null;
  /** The trace that what caused the message belongs to; null: none was given. */
  readonly traceparent: string | null;
  /** How long it had been due when it was handed over, milliseconds. */
  readonly lateMs: number;
};

/**
 * Where the next attempt goes. The URL and its fallback take turns, so that a message gets through whichever of the two is down,
 * and the URL has the first word about each.
 */
export function urlFor({ target, attemptCount }: Pick<HandOff, "target" | "attemptCount">): string {
  return target.fallbackUrl !== null && attemptCount % 2 === 1 ? target.fallbackUrl : target.url;
}

/** The delays between attempts for messages of a type. */
export function scheduleFor(
  { scheduleMs, typeSchedulesMs }: Pick<Target, "scheduleMs" | "typeSchedulesMs">,
  type: string,
): readonly number[] {
  if (typeSchedulesMs.size === 0) return scheduleMs;
  const noun = `${type.slice(0, type.indexOf("."))}.*`;
  return typeSchedulesMs.get(type) ?? typeSchedulesMs.get(noun) ?? scheduleMs;
}

/** Whether an endpoint has a limit that only the claim can count, so that nothing goes to it straight from memory. */
export function isGated(target: Target, now: number, workers: number): boolean {
  return (
    target.isPaused ||
    target.rate !== null ||
    target.order.mode !== "none" ||
    target.gatedUntil > now ||
    target.inFlightMax < workers
  );
}
