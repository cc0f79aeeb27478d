import { toPublicId } from "@aftercall/contract/id.ts";

import type { Log } from "#/kernel/log.ts";

import type { MessageRow } from "./queue/message-store.ts";

/** One line for each `call.completed` that goes to nobody, once it is stored: everybody who runs this looks there first. */
export function logUnrouted(log: Pick<Log, "info">, messages: readonly MessageRow[]): void {
  for (const { tenantId, id, type, callId, unroutedReason } of messages) {
    if (type !== "call.completed") continue;
    log.info(
      {
        tenant: toPublicId("tenant", tenantId),
        message: toPublicId("message", id),
        call: callId && toPublicId("call", callId),
        type,
        reason: unroutedReason,
      },
      "message to nobody",
    );
  }
}
