import { fromPublicId } from "@aftercall/contract/id.ts";
import type { IdentifierKind } from "@aftercall/contract/live-frames.ts";

/** What somebody who names a call means, before anything is looked up. */
export type Identified = {
  readonly identifier: string;
  readonly kind: IdentifierKind;
  /** Under which keys changes of it are found; any of them is enough. See {@link keysOf}. */
  readonly keys: readonly string[];
  /** Our own id, where the identifier is or may be one. */
  readonly callId: string | null;
  /** Which aliases may carry it; null: of any kind. Empty: it is no alias. */
  readonly aliasKinds: readonly string[] | null;
};

/**
 * Tells by its form what an identifier is; the first form that fits counts. Pure, so the answer cannot tell what exists:
 * another tenant's id is taken for the same thing as an invented one.
 */
export function identify(identifier: string): Identified {
  return { identifier, ...formOf(identifier) };
}

function formOf(identifier: string): Omit<Identified, "identifier"> {
  if (identifier === "*") return { kind: "all", keys: ["*"], callId: null, aliasKinds: [] };
  if (identifier === deliveriesKey) return { kind: "deliveries", keys: [deliveriesKey], callId: null, aliasKinds: [] };
  for (const [form, kind, aliasKinds] of forms) {
    if (!form.test(identifier)) continue;
    return { kind, keys: aliasKinds.map((alias) => `${alias} ${identifier}`), callId: null, aliasKinds };
  }
  const campaignId = identifier.startsWith("cmp_") ? fromPublicId("campaign", identifier) : null;
  if (campaignId) return { kind: "campaign", keys: [`campaign ${campaignId}`], callId: null, aliasKinds: [] };
  // Other systems begin their ids with call_ as well: only what decodes is ours.
  const callId = fromPublicId("call", identifier);
  if (!callId) return { kind: "name", keys: [`name ${identifier}`], callId: null, aliasKinds: null };
  if (identifier.startsWith("call_")) return { kind: "call", keys: [`call ${callId}`], callId, aliasKinds: [] };
  return { kind: "uuid", keys: [`call ${callId}`, `name ${identifier}`], callId, aliasKinds: null };
}

const forms: readonly (readonly [form: RegExp, kind: IdentifierKind, aliasKinds: readonly string[]])[] = [
  [/^CA[0-9a-f]{32}$/i, "call_sid", ["call_sid"]],
  [/^conv_/, "conversation_id", ["conversation_id"]],
  [/^RM_/, "room_sid", ["room_sid"]],
  [/^SCL_/, "sip_call_id", ["sip_participant", "sip_call_id"]],
  [/^comm_/, "communication_id", ["communication_id"]],
];

/** What becomes of deliveries is found under this alone: who waits for all calls does not wait for them. */
export const deliveriesKey = "deliveries";

/** Every key under which somebody may wait for a change of calls or campaigns. */
export function keysOf(change: {
  readonly callId: string | null;
  readonly campaignId: string | null;
  readonly aliases: readonly (readonly [kind: string, value: string])[];
}): string[] {
  const keys = ["*"];
  if (change.callId) keys.push(`call ${change.callId}`);
  if (change.campaignId) keys.push(`campaign ${change.campaignId}`);
  for (const [kind, value] of change.aliases) keys.push(`${kind} ${value}`, `name ${value}`);
  return keys;
}
