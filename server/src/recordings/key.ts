import type { SecretBox } from "#/kernel/secrets.ts";

import type { RecordingRow } from "./store.ts";

/** The key of a recording's bytes, sealed to its row. */
export function sealDataKey(box: SecretBox, tenantId: string, recordingId: string, dataKey: Buffer): Buffer {
  return box.seal(dataKey, placeOf(tenantId, recordingId));
}

/** Null when the recording has no bytes, or was erased. @throws SealedElsewhere */
export function openDataKey(box: SecretBox, row: RecordingRow): Buffer | null {
  return row.sealed_key && box.open(row.sealed_key, placeOf(row.tenant_id, row.id));
}

function placeOf(tenant: string, row: string) {
  return { tenant, table: "recordings", row, column: "sealed_key" };
}
