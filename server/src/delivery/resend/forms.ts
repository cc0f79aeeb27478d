import { CallData, CampaignData } from "@aftercall/contract/event-data.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import type { Tx } from "#/db/transaction.ts";

import type { BodyForm, Fact } from "../formats/format.ts";
import { renderFact } from "../formats/index.ts";
import { insertForms, type MissingForm, missingForms } from "./forms-store.ts";
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

function factOf(tenantId: string, row: MissingForm): Fact {
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
