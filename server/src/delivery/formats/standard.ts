import type { Envelope } from "@aftercall/contract/events.ts";

import type { Fact, Format } from "./format.ts";

/** The envelope of Standard Webhooks: `{ "type", "timestamp", "data" }`. */
export const standard: Format = {
  contentType: "application/json",
  render: (fact) => Buffer.from(JSON.stringify(envelopeOf(fact))),
};

function envelopeOf({ type, occurredAtMs, about }: Fact): Envelope {
  const timestamp = new Date(occurredAtMs).toISOString();
  if (about.kind === "campaign") return { type, timestamp, data: { campaign: about.campaign } };
  return { type, timestamp, data: { call: about.call, transcript: about.transcript } };
}
