import { CallData, CampaignData } from "@aftercall/contract/event-data.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import type { Tx } from "#/db/transaction.ts";

import type { BodyForm, Fact } from "../formats/format.ts";
import { renderFact } from "../formats/index.ts";
import { renderUnwritten } from "../unwritten.ts";
import { findForms, insertForms, type MissingForm, missingForms } from "./forms-store.ts";
import type { Picked } from "./selection.ts";

/**
 * A message has the forms that were wanted when it was accepted. For an endpoint that wants another one now, it is made from the
 * standard form, and kept beside it as if it had been there from the start.
 */
export async function makeMissingForms(tx: Tx, tenantId: string, picks: readonly Picked[]): Promise<void> {
  const missing = await missingForms(tx, tenantId, picks);
  const made = missing.map((row) => ({ ...row, body: renderFact(factOf(tenantId, row), row.form as BodyForm) }));
  await insertForms(tx, tenantId, made);
}

/** The bytes of one message in a form, kept or not; null when they were removed, or there is no such message. */
export async function formOf(tx: Tx, tenantId: string, messageId: string, form: BodyForm): Promise<Buffer | null> {
  const found = await findForms(tx, tenantId, messageId, form);
  if (!found) return null;
  const standard = found.standard ?? (await renderUnwritten(tx, tenantId, [messageId])).get(messageId) ?? null;
  if (found.body !== null || standard === null) return found.body;
  return form === "standard" ? standard : renderFact(factOf(tenantId, { ...found, standard }), form);
}

function factOf(tenantId: string, row: Omit<MissingForm, "form">): Fact {
  const { data } = JSON.parse(row.standard.toString("utf8")) as { data: Record<string, unknown> };
  const publicTenantId = toPublicId("tenant", tenantId);
  return {
    messageId: toPublicId("message", row.message_id),
    tenantId: publicTenantId,
    type: row.type,
    occurredAtMs: row.occurred_at.getTime(),
    businessId: row.business_id ?? publicTenantId,
    about: aboutOf(data),
  };
}

function aboutOf(data: Record<string, unknown>): Fact["about"] {
  const call = CallData.safeParse(data);
  if (call.success) return { kind: "call", ...call.data };
  const campaign = CampaignData.safeParse(data);
  return campaign.success ? { kind: "campaign", ...campaign.data } : { kind: "data", data };
}
