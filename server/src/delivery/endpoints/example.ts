import type { Call, Transcript } from "@aftercall/contract/call.ts";
import type { Campaign } from "@aftercall/contract/campaign.ts";
import type { TestEndpoint } from "@aftercall/contract/endpoint/test.ts";
import { eventTypeOf } from "@aftercall/contract/events.ts";

import type { Tx } from "#/db/transaction.ts";
import { Invalid } from "#/kernel/errors.ts";

import type { Fact } from "../formats/format.ts";
import { findEventType } from "../messages/store.ts";

/** The data of an example of an event type: one of ours, or of the tenant's own. */
export async function exampleOf(
  tx: Tx,
  tenant: string,
  name: string,
  language: TestEndpoint["language"],
): Promise<Readonly<Record<string, unknown>>> {
  const ours = eventTypeOf(name);
  if (ours) return ours.examples[language].data as Record<string, unknown>;
  const own = await findEventType(tx, tenant, name);
  if (!own) throw new Invalid("No such event type", [{ pointer: "/type", detail: `There is no event type ${name}` }]);
  const examples = own.examples as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  return examples[language] ?? Object.values(examples)[0] ?? {};
}

/** The same as what a message says, so that it can be written in any format. */
export function aboutOf(data: Readonly<Record<string, unknown>>): Fact["about"] {
  const { call, campaign, transcript = null } = data;
  if (call) return { kind: "call", call: call as Call, transcript: transcript as Transcript | null, data };
  if (campaign) return { kind: "campaign", campaign: campaign as Campaign };
  return { kind: "data", data };
}
