import { toPublicId } from "@aftercall/contract/id.ts";
import type { ProviderInfo, Source, SourcePull, SourceSecret } from "@aftercall/contract/source.ts";
import { z } from "zod";

import type { Provider } from "#/providers/provider.ts";

import { isActive } from "./secrets.ts";
import type { SecretRow, SourcePollRow, SourceRow } from "./store.ts";

/** A source as the API shows it: settings as they are in force, secrets without their values. */
export function presentSource(
  row: SourceRow,
  secrets: readonly SecretRow[],
  poll: SourcePollRow | null,
  provider: Provider | null,
  at: { publicUrl: string; nowMs: number },
): Source {
  const setup = provider?.setup.safeParse(row.setup);
  const active = secrets.filter((secret) => isActive(secret, at.nowMs));
  return {
    id: toPublicId("source", row.id),
    slug: row.slug,
    provider: row.provider,
    name: row.name,
    setup: setup?.success ? (setup.data as Record<string, unknown>) : row.setup,
    auth: row.auth,
    on_given_routes: row.on_given_routes,
    given_routes_create: row.given_routes_create,
    user_id: row.user_id === null ? null : toPublicId("user", row.user_id),
    is_enabled: row.is_enabled,
    own_url: `${at.publicUrl}/webhooks/${row.slug}`,
    given_urls: row.on_given_routes ? (provider?.givenRoutes ?? []).map((route) => at.publicUrl + route.path) : [],
    is_ready: row.is_enabled && (row.auth === "none" || active.length > 0),
    secrets: active.map(presentSecret),
    pull: poll && presentPull(poll),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

function presentPull(row: SourcePollRow): SourcePull {
  return {
    result: row.result,
    detail: row.detail,
    polled_at: row.polled_at.toISOString(),
    next_poll_at: row.due_at.toISOString(),
    request_count: row.request_count,
    found_count: row.found_count,
    found_total: Number(row.found_total),
  };
}

export function presentSecret(row: SecretRow): SourceSecret {
  return {
    id: toPublicId("source_secret", row.id),
    slot: row.slot,
    key_id: row.key_id,
    hint: row.hint,
    origin: row.origin,
    expires_at: row.expires_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  };
}

export function presentProvider(provider: Provider, publicUrl: string): ProviderInfo {
  return {
    name: provider.name,
    title: provider.title,
    setup_schema: z.toJSONSchema(provider.setup, { io: "input", unrepresentable: "any" }),
    secret_slots: provider.secrets.map((slot) => ({
      slot: slot.slot,
      title: slot.title,
      env: [...slot.env],
      has_key_id: slot.keyIdEnv !== undefined,
    })),
    accepts: [...provider.accepts],
    body_bytes_max: provider.bodyBytesMax,
    given_urls: provider.givenRoutes.map((route) => publicUrl + route.path),
    own_url: `${publicUrl}/webhooks/:source`,
  };
}
