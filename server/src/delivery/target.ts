import type { EndpointDirection, EndpointFormat } from "@aftercall/contract/endpoint.ts";

import type { SigningKey } from "./sign.ts";

/** An enabled endpoint as routing and sending need it: everything an attempt takes without asking the database. */
export type Target = {
  readonly tenantId: string;
  readonly id: string;
  /** Changes with every change of the endpoint or its secrets. */
  readonly version: string;
  readonly url: string;
  readonly types: readonly string[];
  readonly direction: EndpointDirection;
  readonly format: EndpointFormat;
  readonly scheduleMs: readonly number[];
  readonly timeoutMs: number;
  readonly inFlightMax: number;
  /** Newest first. */
  readonly keys: readonly TargetKey[];
};

export type TargetKey = { readonly key: SigningKey; readonly expiresAtMs: number | null };

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
  readonly body: Buffer;
  /** Attempts made before, all of them. */
  readonly attemptCount: number;
  /** Of these, the ones made by hand: they are no steps of the schedule. */
  readonly manualCount: number;
  /** Whether this attempt is one made by hand. */
  readonly isManual: boolean;
};
