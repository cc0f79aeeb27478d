import { endpointDefaults } from "@aftercall/contract/endpoint.ts";

import type { HandOff, Target } from "./target.ts";

/** An endpoint as a new one is, for tests that need no database. */
export function makeTarget(changes: Partial<Target> = {}): Target {
  return {
    tenantId: "t",
    id: "e",
    version: "1",
    url: "https://example.com/",
    fallbackUrl: null,
    kind: "ordinary",
    types: ["*"],
    direction: "any",
    campaignIds: null,
    pausedCampaignIds: new Set(),
    channels: null,
    filter: null,
    mapping: null,
    isBinary: false,
    bodyForm: "standard",
    scheduleMs: [],
    typeSchedulesMs: new Map(),
    timeoutMs: 15_000,
    inFlightMax: 10,
    isPaused: false,
    rate: null,
    order: endpointDefaults.order,
    noRetry: [],
    isBreakerOn: true,
    isAutoDisabledOn: true,
    resendsOnLate: false,
    gatedUntil: 0,
    privateTargets: [],
    headers: [],
    auth: null,
    signature: endpointDefaults.signature,
    profileKey: null,
    keys: [],
    ...changes,
  };
}

/** A first attempt of a message for an endpoint, as it is handed over. */
export function makeHandOff(target: Target, changes: Partial<HandOff> = {}): HandOff {
  return {
    tenantId: target.tenantId,
    deliveryId: "d",
    claimId: "c",
    messageId: "m",
    type: "call.ended",
    receivedAtMs: 0,
    target,
    form: "standard",
    body: Buffer.alloc(0),
    attemptCount: 0,
    manualCount: 0,
    isManual: false,
    isRetry: false,
    isCounted: true,
    lostCount: 0,
    wasExhausted: false,
    orderKey: null,
    sequence: null,
    gap: null,
    traceparent: null,
    lateMs: 0,
    ...changes,
  };
}
