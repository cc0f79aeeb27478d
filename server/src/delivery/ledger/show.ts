import type { Attempt, Delivery } from "@aftercall/contract/delivery.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import type { Message } from "@aftercall/contract/message.ts";

import { shownClass, shownError } from "../attempt-class.ts";
import type { AttemptRow, DeliveryRow, MessageRow } from "./store.ts";

export function showMessage(row: MessageRow): Message {
  return {
    id: toPublicId("message", row.id),
    type: row.type,
    call_id: row.call_id && toPublicId("call", row.call_id),
    campaign_id: row.campaign_id && toPublicId("campaign", row.campaign_id),
    occurred_at: row.occurred_at.toISOString(),
    received_at: row.received_at.toISOString(),
    unrouted_reason: row.unrouted_reason,
    is_expired: row.expired_at !== null,
    created_at: row.created_at.toISOString(),
  };
}

export function showDelivery(row: DeliveryRow): Delivery {
  return {
    id: toPublicId("delivery", row.id),
    message_id: toPublicId("message", row.message_id),
    endpoint_id: toPublicId("endpoint", row.endpoint_id),
    type: row.type,
    call_id: row.call_id && toPublicId("call", row.call_id),
    state: row.state,
    // While an attempt by hand is due the row keeps the reason of before.
    reason: row.state === "undelivered" ? row.reason : null,
    cause: row.cause === "event" ? row.cause : toPublicId("resend", row.cause),
    replaced_by: row.replaced_by && toPublicId("delivery", row.replaced_by),
    attempt_count: row.attempt_count,
    next_attempt_at: row.state === "due" ? (row.due_at?.toISOString() ?? null) : null,
    created_at: row.created_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  };
}

export function showAttempt(row: AttemptRow): Attempt {
  return {
    number: row.number,
    trigger: row.trigger,
    url: row.url,
    started_at: row.started_at.toISOString(),
    duration_ms: row.duration_ms,
    status: row.status,
    class: shownClass(row.class),
    error: shownError(row.class),
    request_headers: row.request_headers,
    response_headers: row.response_headers,
    response_body: row.response_body === null ? null : row.response_body.toString("utf8"),
  };
}
