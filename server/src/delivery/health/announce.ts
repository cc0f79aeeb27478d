import { toPublicId } from "@aftercall/contract/id.ts";

import type { Tx } from "#/db/transaction.ts";

import { renderFact } from "../formats/index.ts";
import type { HandOff } from "../target.ts";
import { type MessageFact, type WriteContext, writeMessages } from "../write.ts";
import { nameEndpoints } from "./store.ts";

/** Something that happened to the delivery itself, to be told to the tenant's operational endpoints. */
export type Operation = {
  readonly tenantId: string;
  /** Which endpoint it is about; null: none. */
  readonly endpointId: string | null;
  readonly type: string;
  /** What tells it from others of its type at the same moment. */
  readonly subject: string;
  /** Beside the endpoint. */
  readonly data: Readonly<Record<string, unknown>>;
};

/**
 * Tells what happened to endpoints and deliveries, in the transaction in which it happens: so each is told once, or not at all.
 * What is about an operational endpoint is not sent to that endpoint, and tenants without operational endpoints are told nothing.
 * Gives what to hand to the worker after the commit.
 */
export async function announceOperations(
  tx: Tx,
  operations: readonly Operation[],
  atMs: number,
  context: WriteContext,
): Promise<HandOff[]> {
  if (operations.length === 0) return [];
  const targets = await context.book.enabled(tx, [...new Set(operations.map(({ tenantId }) => tenantId))]);
  const listening = operations.filter(({ tenantId, endpointId }) =>
    targets.get(tenantId)?.some((target) => target.kind === "operational" && target.id !== endpointId),
  );
  if (listening.length === 0) return [];
  const about = listening.flatMap(({ tenantId, endpointId }) => (endpointId === null ? [] : { tenantId, endpointId }));
  const names = new Map((await nameEndpoints(tx, about)).map((name) => [name.endpointId, name]));
  const facts = listening.map((operation) => {
    if (operation.endpointId === null) return factOf(operation, operation.data, atMs);
    const name = names.get(operation.endpointId);
    const endpoint = {
      id: toPublicId("endpoint", operation.endpointId),
      url: name?.url ?? "",
      description: name?.description ?? "",
    };
    return factOf(operation, { endpoint, ...operation.data }, atMs);
  });
  return writeMessages(tx, facts, context);
}

function factOf(operation: Operation, data: Readonly<Record<string, unknown>>, atMs: number): MessageFact {
  const { tenantId, type, endpointId } = operation;
  const about = { kind: "data", data } as const;
  const tenant = toPublicId("tenant", tenantId);
  return {
    tenantId,
    type,
    callId: null,
    campaignId: null,
    direction: null,
    occurredAtMs: atMs,
    receivedAtMs: atMs,
    subject: operation.subject,
    ...(endpointId !== null && { exceptEndpointId: endpointId }),
    render: (form, messageId) =>
      renderFact(
        {
          messageId: toPublicId("message", messageId),
          tenantId: tenant,
          type,
          occurredAtMs: atMs,
          businessId: tenant,
          about,
        },
        form,
      ),
  };
}
