import { type Endpoint, routingRules } from "@aftercall/contract/endpoint.ts";
import type { EndpointAuth, ShownEndpointAuth } from "@aftercall/contract/endpoint/auth.ts";
import { showHeaders } from "@aftercall/contract/endpoint/headers.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import { describeCertificate } from "../auth/client-tls.ts";
import { hasReplayProtection } from "../profiles/index.ts";
import type { Opened } from "./secrets.ts";
import { type EndpointRow, orderOf, rateOf } from "./store.ts";

/** An endpoint as the API shows it: with everything but secrets. */
export function showEndpoint(row: EndpointRow, { signatureSecret, headers, auth }: Opened): Endpoint {
  return {
    id: toPublicId("endpoint", row.id),
    uid: row.uid,
    url: row.url,
    fallback_url: row.fallback_url,
    description: row.description,
    metadata: row.metadata,
    kind: row.kind,
    types: [...row.types],
    direction: row.direction,
    routing: routingRules[row.direction],
    campaign_ids: row.campaign_ids && row.campaign_ids.map((id) => toPublicId("campaign", id)),
    channels: row.channels && [...row.channels],
    filter: row.filter,
    format: row.mapping ? "mapped" : row.format,
    cloudevents_mode: row.cloudevents_mode,
    mapping: row.mapping && { over: row.format, steps: [...row.mapping] },
    payload: row.payload,
    signature: {
      ...row.signature,
      has_secret: signatureSecret !== null,
      has_replay_protection: hasReplayProtection(row.signature),
    },
    headers: showHeaders(headers),
    auth: auth && showAuth(auth),
    schedule_ms: row.schedule_ms.map(Number),
    type_schedules_ms: Object.fromEntries(Object.entries(row.type_schedules_ms).map(([type, ms]) => [type, [...ms]])),
    timeout_ms: row.timeout_ms,
    in_flight_max: row.in_flight_max,
    rate: rateOf(row),
    order: orderOf(row),
    no_retry_statuses: [...row.status_rules],
    is_handshake_on: row.is_handshake_on,
    is_breaker_on: row.is_breaker_on,
    is_auto_disabled_on: row.is_auto_disabled_on,
    resend_on_late: row.resend_on_late,
    is_paused: row.paused_at !== null,
    paused_at: row.paused_at?.toISOString() ?? null,
    is_enabled: row.disabled_at === null,
    disabled_at: row.disabled_at?.toISOString() ?? null,
    disabled_reason: row.disabled_reason,
    api_version: row.api_version,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

function showAuth(auth: EndpointAuth): ShownEndpointAuth {
  switch (auth.type) {
    case "basic":
      return { type: auth.type, username: auth.username };
    case "bearer":
      return { type: auth.type };
    case "api_key":
      return { type: auth.type, header: auth.header };
    case "oauth2": {
      const { client_secret: _, ...shown } = auth;
      return shown;
    }
    case "mtls":
      return { type: auth.type, ...describeCertificate(auth.certificate), has_ca: auth.ca !== null };
  }
}
