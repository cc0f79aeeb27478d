import type { EndpointPayload } from "@aftercall/contract/endpoint.ts";

import type { Fact } from "./format.ts";

/** What `data` holds. Thin: ids, and the paths of our API where the rest is read. */
export function dataOf({ about, messageId }: Fact, payload: EndpointPayload): Readonly<Record<string, unknown>> {
  if (about.kind === "data") {
    return payload === "full" ? about.data : { message: { id: messageId, url: `/v1/messages/${messageId}` } };
  }
  if (about.kind === "campaign") {
    const { campaign } = about;
    return payload === "full" ? { campaign } : { campaign: { id: campaign.id, url: `/v1/campaigns/${campaign.id}` } };
  }
  const { call, transcript, data = { call, transcript } } = about;
  return payload === "full" ? data : { call: { id: call.id, url: `/v1/calls/${call.id}` } };
}
