import { endpointDefaults } from "@aftercall/contract/endpoint.ts";

import type { Target } from "./target.ts";

/** An endpoint as a new one is, for tests that need no database. */
export function makeTarget(changes: Partial<Target> = {}): Target {
  return {
    tenantId: "t",
    id: "e",
    version: "1",
    url: "https://example.com/",
    kind: "ordinary",
    types: ["*"],
    direction: "any",
    campaignIds: null,
    channels: null,
    filter: null,
    bodyForm: "standard",
    scheduleMs: [],
    timeoutMs: 15_000,
    inFlightMax: 10,
    isPaused: false,
    rate: null,
    order: endpointDefaults.order,
    noRetry: [],
    isBreakerOn: true,
    isAutoDisabledOn: true,
    headers: [],
    auth: null,
    signature: endpointDefaults.signature,
    profileKey: null,
    keys: [],
    ...changes,
  };
}
