import type { Call, Transcript } from "@aftercall/contract/call.ts";
import type { Campaign } from "@aftercall/contract/campaign.ts";
import type { TestEndpoint } from "@aftercall/contract/endpoint/test.ts";
import { eventTypeOf } from "@aftercall/contract/events.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import type { Tx } from "#/db/transaction.ts";
import { Invalid } from "#/kernel/errors.ts";

import type { BodyForm, Fact } from "../formats/format.ts";
import { renderFact } from "../formats/index.ts";
import { findEventType } from "../messages/store.ts";

/**
 * The data of an example of an event type: one of ours, or of the tenant's own.
 * @throws Invalid when there is none of this name; `pointer` is where the request names it
 */
export async function exampleOf(
  tx: Tx,
  tenant: string,
  name: string,
  language: TestEndpoint["language"],
  pointer = "/type",
): Promise<Readonly<Record<string, unknown>>> {
  const ours = eventTypeOf(name);
  if (ours) return ours.examples[language].data as Record<string, unknown>;
  const own = await findEventType(tx, tenant, name);
  if (!own) throw new Invalid("No such event type", [{ pointer, detail: `There is no event type ${name}` }]);
  const examples = own.examples as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  return examples[language] ?? Object.values(examples)[0] ?? {};
}

/** The bytes of an example as a message of its own, that happened now. */
export async function renderExample(
  tx: Tx,
  tenant: string,
  { type, language, pointer }: Pick<TestEndpoint, "language"> & { readonly type: string; readonly pointer?: string },
  { messageId, occurredAtMs }: { readonly messageId: string; readonly occurredAtMs: number },
  form: BodyForm,
): Promise<Buffer> {
  const tenantId = toPublicId("tenant", tenant);
  const about = aboutOf(await exampleOf(tx, tenant, type, language, pointer));
  const shownId = toPublicId("message", messageId);
  return renderFact({ messageId: shownId, tenantId, type, occurredAtMs, businessId: tenantId, about }, form);
}

/** The same as what a message says, so that it can be written in any format. */
export function aboutOf(data: Readonly<Record<string, unknown>>): Fact["about"] {
  const { call, campaign, transcript = null } = data;
  if (call) return { kind: "call", call: call as Call, transcript: transcript as Transcript | null, data };
  if (campaign) return { kind: "campaign", campaign: campaign as Campaign };
  return { kind: "data", data };
}
