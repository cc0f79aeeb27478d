import { toPublicId } from "@aftercall/contract/id.ts";

import type { Db } from "#/db/transaction.ts";

import { aliasesOf } from "./alias-store.ts";
import { factOf, project } from "./project.ts";
import { isoOf } from "./record.ts";
import type { CallRecord } from "./record.ts";
import { loadCall, userNames } from "./store.ts";

/**
 * A call as one of its users may see it: in a tenant they belong to, and either theirs or nobody's in particular. Null for
 * every other call, and for none: callers cannot tell which.
 */
export async function findCallForUser(
  db: Db,
  wanted: { readonly tenantIds: readonly string[]; readonly userExternalId: string; readonly id: string },
) {
  for (const tenantId of wanted.tenantIds) {
    const found = await db.inTransaction([tenantId], async (tx) => {
      const record = await loadCall(tx, tenantId, wanted.id);
      if (!record) return null;
      const owner = record.userId && (await userNames(tx, tenantId, [record.userId])).get(record.userId);
      if (record.userId && owner !== wanted.userExternalId) return null;
      const aliases = (await aliasesOf(tx, [tenantId], [record.id])).get(record.id) ?? [];
      return show(record, wanted.userExternalId, aliases.find(({ kind }) => kind === "room_sid")?.value ?? null);
    });
    if (found) return found;
  }
  return null;
}

function show(record: CallRecord, userId: string, roomSid: string | null) {
  const { state } = record;
  const { status, outcome, durationMs, startedAt, endedAt } = project(state);
  const direction = factOf(state, "direction");
  return {
    id: toPublicId("call", record.id),
    userId,
    direction,
    status,
    outcome,
    agentConfigId: factOf(state, "agent_id"),
    livekitRoomName: factOf(state, "room_name"),
    livekitRoomSid: roomSid,
    phoneNumber: direction === "outbound" ? factOf(state, "to_number") : factOf(state, "from_number"),
    sipCallId: factOf(state, "sip_call_id"),
    durationMs,
    recordingUrl: factOf(state, "recording")?.url ?? null,
    metadata: metadataOf(record),
    startedAt,
    endedAt,
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
  };
}

/** What the Call Outcomes API keeps under `metadata`: how the room ended, beside what was registered with the call. */
function metadataOf({ state }: CallRecord): Readonly<Record<string, unknown>> | null {
  const known = {
    disconnect_reason: factOf(state, "disconnect_reason"),
    participant_identity: factOf(state, "participant_identity"),
    room_creation_time: isoOf(factOf(state, "room_created_at")),
  };
  const all = {
    ...factOf(state, "metadata"),
    ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== null)),
  };
  return Object.keys(all).length > 0 ? all : null;
}
