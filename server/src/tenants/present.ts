import { toPublicId } from "@aftercall/contract/id.ts";
import type { ApiKey, User } from "@aftercall/contract/tenant.ts";

import type { ApiKeyRow, UserRow } from "./store.ts";

export function presentKey(row: ApiKeyRow): ApiKey {
  return {
    id: toPublicId("api_key", row.id),
    name: row.name,
    prefix: row.prefix,
    role: row.role,
    scopes: row.scopes,
    expires_at: row.expires_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
    last_used_at: row.last_used_at?.toISOString() ?? null,
    replaced_by: row.replaced_by && toPublicId("api_key", row.replaced_by),
    api_version: row.api_version,
    created_at: row.created_at.toISOString(),
  };
}

export function presentUser(row: UserRow): User {
  return {
    id: toPublicId("user", row.id),
    external_id: row.external_id,
    name: row.name,
    created_at: row.created_at.toISOString(),
  };
}
