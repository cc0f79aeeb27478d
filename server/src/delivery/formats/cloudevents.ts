import { dataOf } from "./data.ts";
import type { Format } from "./format.ts";

/** CloudEvents 1.0 in structured mode: one JSON object with the attributes beside the data. https://cloudevents.io */
export const cloudevents: Format = {
  contentType: "application/cloudevents+json; charset=utf-8",
  render(fact, payload) {
    const { messageId, tenantId, type, occurredAtMs, about } = fact;
    return Buffer.from(
      JSON.stringify({
        specversion: "1.0",
        id: messageId,
        source: `/tenants/${tenantId}`,
        type,
        ...(about.kind !== "data" && { subject: about.kind === "call" ? about.call.id : about.campaign.id }),
        time: new Date(occurredAtMs).toISOString(),
        datacontenttype: "application/json",
        data: dataOf(fact, payload),
      }),
    );
  },
};
