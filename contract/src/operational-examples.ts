import type { Delivery } from "./delivery.ts";
import { bodies, english, timestamp } from "./examples.ts";

/** Examples of messages about the delivery itself, in English and in Hebrew. */

const endpoint = {
  en: { id: "ep_06f4yvh7k8e5m2q9s3t6w0x1za", url: "https://crm.example.com/hooks/calls", description: "CRM" },
  he: { id: "ep_06f4yvh7k8e5m2q9s3t6w0x1za", url: "https://crm.example.com/hooks/calls", description: "מערכת הלקוחות" },
};

/** Bodies about an endpoint, with what else the type says. */
function aboutEndpoint<Type extends string, More extends object>(type: Type, more: More) {
  return bodies(type, { endpoint: endpoint.en, ...more }, { endpoint: endpoint.he, ...more });
}

export const endpointCreated = aboutEndpoint("endpoint.created", {});
export const endpointUpdated = aboutEndpoint("endpoint.updated", {});
export const endpointDeleted = aboutEndpoint("endpoint.deleted", {});
export const endpointEnabled = aboutEndpoint("endpoint.enabled", {});
export const endpointDisabled = aboutEndpoint("endpoint.disabled", { reason: "gone" });
export const endpointFailing = aboutEndpoint("endpoint.failing", {
  failing_since: "2026-11-19T08:00:00.000Z",
  failed_attempts: 41,
  threshold_percent: 50,
});
export const endpointRecovered = aboutEndpoint("endpoint.recovered", { failing_since: "2026-11-19T08:00:00.000Z" });
export const breakerOpened = aboutEndpoint("endpoint.breaker_opened", {
  open_until: "2026-11-21T09:32:41.000Z",
  attempts: 12,
  failed_attempts: 10,
});
export const breakerClosed = aboutEndpoint("endpoint.breaker_closed", { opened_at: "2026-11-21T09:31:41.000Z" });
export const secretRotated = aboutEndpoint("endpoint.secret_rotated", {
  old_secrets_end_at: "2026-11-22T09:32:11.000Z",
});

export const delivery: Delivery = {
  id: "dlv_06f4yvh7k8e5m2q9s3t6w0x1za",
  message_id: "msg_06f4yvh7k8e5m2q9s3t6w0x1za",
  endpoint_id: endpoint.en.id,
  type: "call.completed",
  call_id: english.id,
  state: "due",
  reason: null,
  cause: "event",
  replaced_by: null,
  attempt_count: 4,
  next_attempt_at: "2026-11-21T11:32:11.000Z",
  created_at: "2026-11-21T09:32:12.480Z",
  finished_at: null,
};

const lastAttempt = { at: timestamp, status: 500, class: "http_5xx", error: null };
const gaveUp = { ...delivery, state: "undelivered", reason: "exhausted", attempt_count: 10, next_attempt_at: null };
const arrived = { ...delivery, state: "delivered", attempt_count: 5, next_attempt_at: null };

export const deliveryFailing = aboutEndpoint("delivery.failing", { delivery, last_attempt: lastAttempt });
export const deliveryExhausted = aboutEndpoint("delivery.exhausted", {
  delivery: { ...gaveUp, finished_at: timestamp },
  last_attempt: lastAttempt,
});
export const deliveryRecovered = aboutEndpoint("delivery.recovered", {
  delivery: { ...arrived, finished_at: timestamp },
  last_attempt: { ...lastAttempt, status: 200, class: "ok" },
});

const replay = {
  id: "rpl_06f4yvh7k8e5m2q9s3t6w0x1za",
  state: "done",
  counts: { selected: 128, delivered: 126, undelivered: 2 },
  created_at: "2026-11-21T09:00:00.000Z",
  finished_at: timestamp,
};
export const replayFinished = bodies("replay.finished", { replay }, { replay });

const source = { id: "src_06f4yvh7k8e5m2q9s3t6w0x1za", slug: "vapi-main", provider: "vapi" };
const sources = { en: { ...source, name: "Main line" }, he: { ...source, name: "הקו הראשי" } };

export const sourceSilent = bodies(
  "source.silent",
  { source: sources.en, last_event_at: "2026-11-21T03:10:00.000Z" },
  { source: sources.he, last_event_at: "2026-11-21T03:10:00.000Z" },
);

const refusals = { since: "2026-11-21T09:20:00.000Z", refused_count: 14, reasons: { bad_signature: 14 } };
export const sourceRejecting = bodies(
  "source.rejecting",
  { source: sources.en, ...refusals },
  { source: sources.he, ...refusals },
);

const over = { was: "source.silent", since: "2026-11-21T07:10:00.000Z" };
export const sourceRecovered = bodies(
  "source.recovered",
  { source: sources.en, ...over },
  { source: sources.he, ...over },
);

const lag = { oldest_due_seconds: 372.5, due_count: 5210 };
export const queueLagging = bodies("queue.lagging", lag, lag);

const ended = { since: "2026-11-21T09:01:40.000Z" };
export const queueRecovered = bodies("queue.recovered", ended, ended);
