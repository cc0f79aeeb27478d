import type { Envelope } from "@aftercall/contract/events.ts";

import { dataOf } from "./data.ts";
import type { Format } from "./format.ts";

/** The envelope of Standard Webhooks: `{ "type", "timestamp", "data" }`. */
export const standard: Format = {
  contentType: "application/json",
  render(fact, payload) {
    const timestamp = new Date(fact.occurredAtMs).toISOString();
    return Buffer.from(JSON.stringify({ type: fact.type, timestamp, data: dataOf(fact, payload) } satisfies Envelope));
  },
};
