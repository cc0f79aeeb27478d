import type { Call, Transcript } from "@aftercall/contract/call.ts";
import { Webhook } from "standardwebhooks";

import type { Receiver } from "./receiver.ts";

export type ReceivedMessage = {
  /** The `webhook-id`, the same in every attempt. */
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly data: { readonly call: Call; readonly transcript: Transcript | null };
};

/**
 * The first messages a receiver got, each verified with the public Standard Webhooks library as any receiver would: a wrong
 * signature throws. In the standard format.
 */
export async function verifiedMessages(receiver: Receiver, secret: string, count: number): Promise<ReceivedMessage[]> {
  const webhook = new Webhook(secret);
  return (await receiver.waitFor(count)).map(({ headers, body }) => {
    const named = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    const message = webhook.verify(body.toString("utf8"), named) as Omit<ReceivedMessage, "id">;
    return { id: String(headers["webhook-id"]), ...message };
  });
}
