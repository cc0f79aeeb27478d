import type { Actor } from "@aftercall/contract/api.ts";

import { Forbidden } from "#/kernel/errors.ts";

import type { RecordingRow } from "./store.ts";

/** Recordings with personal data in them are for administrators, where the plan publishes a redacted one. @throws Forbidden */
export function refuseRestricted(row: Pick<RecordingRow, "is_restricted">, { role }: Pick<Actor, "role">): void {
  if (!row.is_restricted || role === "admin" || role === "owner") return;
  throw new Forbidden("Only administrators may hear this recording; the redacted one is for everybody");
}
