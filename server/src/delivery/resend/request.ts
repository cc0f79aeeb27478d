import type { CreateResend, ResendMode } from "@aftercall/contract/resend.ts";

import type { Tx } from "#/db/transaction.ts";
import { Conflict, type FieldError, Invalid } from "#/kernel/errors.ts";

import { type EndpointState, endpointState, type ResendFilter } from "./store.ts";

export type Asked = {
  readonly mode: ResendMode;
  readonly filter: ResendFilter;
  readonly toEndpointId: string | null;
};

/**
 * What a request for a resend means, after everything that makes no sense was refused.
 * @param keptSince What was accepted before has no payload any more, by age.
 */
export async function readRequest(tx: Tx, tenantId: string, body: CreateResend, keptSince: Date): Promise<Asked> {
  const mode = body.mode ?? (body.preset === undefined ? "failed" : "missing");
  const errors = [...contradictions(body, mode), ...windowErrors(body, keptSince)];
  if (errors.length > 0) throw new Invalid("The resend is not accepted; errors names the fields", errors);

  const from = body.endpoint_id === undefined ? null : await endpointOf(tx, tenantId, "/endpoint_id", body.endpoint_id);
  const to =
    body.to_endpoint_id === undefined ? null : await endpointOf(tx, tenantId, "/to_endpoint_id", body.to_endpoint_id);
  // Without an endpoint to send to, each goes to its own; what is disabled of those is left out and counted.
  refuseUnreachable(to ?? from, body.force);

  const closed = body.preset === undefined || from === null ? null : whileDisabled(from);
  return {
    mode,
    toEndpointId: mode === "failed" ? (body.to_endpoint_id ?? null) : (body.endpoint_id ?? null),
    filter: {
      reasons: body.reasons ?? null,
      endpointId: mode === "failed" ? (body.endpoint_id ?? null) : null,
      types: body.types ?? null,
      callIds: body.call_ids ?? null,
      since: closed?.since ?? body.since ?? null,
      until: closed ? closed.until : (body.until ?? null),
      deliveryIds: body.delivery_ids ?? null,
      messageIds: body.message_ids ?? null,
      closedReasons: closed ? ["endpoint_disabled", "gone"] : null,
    },
  };
}

function contradictions(body: CreateResend, mode: ResendMode): FieldError[] {
  const errors: FieldError[] = [];
  const refuse = (pointer: string, detail: string) => errors.push({ pointer, detail });
  if (mode === "failed") {
    if (body.preset !== undefined) refuse("/mode", "The preset is a resend of what is missing: leave the mode out");
    return errors;
  }
  if (body.endpoint_id === undefined) refuse("/endpoint_id", "Name the endpoint that should have got it");
  if (body.to_endpoint_id !== undefined) refuse("/to_endpoint_id", "In this mode it goes to endpoint_id");
  if (body.reasons !== undefined) refuse("/reasons", "Reasons belong to the mode failed");
  if (body.delivery_ids !== undefined) refuse("/delivery_ids", "Deliveries belong to the mode failed");
  if (body.preset === undefined) return errors;
  if (mode === "all") refuse("/mode", "The preset is a resend of what is missing: leave the mode out");
  if (body.since !== undefined) refuse("/since", "The preset says since when");
  if (body.until !== undefined) refuse("/until", "The preset says until when");
  return errors;
}

function windowErrors({ since, until }: CreateResend, keptSince: Date): FieldError[] {
  const errors: FieldError[] = [];
  if (since !== undefined && new Date(since) < keptSince) {
    errors.push({ pointer: "/since", detail: `Payloads are kept since ${keptSince.toISOString()}: begin there` });
  }
  if (since !== undefined && until !== undefined && new Date(until) <= new Date(since)) {
    errors.push({ pointer: "/until", detail: "It must be later than since" });
  }
  return errors;
}

async function endpointOf(tx: Tx, tenantId: string, pointer: string, id: string): Promise<EndpointState> {
  const endpoint = await endpointState(tx, tenantId, id);
  if (endpoint === null) throw new Invalid("No such endpoint", [{ pointer, detail: "No endpoint has this id" }]);
  return endpoint;
}

/** Refuses to send to an endpoint that is gone, or disabled unless that was meant. */
export function refuseUnreachable(endpoint: EndpointState | null, isForced: boolean): void {
  if (endpoint === null) return;
  if (endpoint.deleted_at !== null) throw new Conflict("The endpoint was deleted: resend to another one");
  if (endpoint.disabled_at !== null && !isForced) {
    throw new Conflict("The endpoint is disabled: enable it first, or send with force");
  }
}

function whileDisabled(endpoint: EndpointState): { since: string; until: string | null } {
  if (endpoint.disabled_from === null) throw new Conflict("The endpoint has never been disabled");
  return { since: endpoint.disabled_from, until: endpoint.disabled_until };
}
