import type { Provider, ProviderRequest, RefusalCode } from "#/providers/provider.ts";
import type { ActiveSource } from "#/sources/active.ts";

export type Verdict =
  | { readonly ok: true; readonly source: ActiveSource; readonly scheme: string }
  /** `suspect`: the source the request most likely meant. */
  | { readonly ok: false; readonly code: RefusalCode; readonly suspect: ActiveSource | null };

/**
 * Finds the source whose credential verifies. A request without any credential belongs to the one source that is set to
 * accept unsigned requests, in so many words; a credential that is present and wrong is refused whatever else is there.
 */
export function verifySource(
  provider: Provider,
  sources: readonly ActiveSource[],
  request: ProviderRequest,
  nowMs: number | null,
): Verdict {
  let best: { code: RefusalCode; suspect: ActiveSource } | null = null;
  for (const source of sources) {
    if (source.secrets.length === 0) continue;
    const checked = provider.verify({ request, secrets: source.secrets, setup: source.setup, nowMs });
    if (checked.ok) return { ok: true, source, scheme: checked.scheme };
    if (!best || certainty[checked.code] > certainty[best.code]) best = { code: checked.code, suspect: source };
  }
  const open = sources.find((source) => source.auth === "none" && source.secrets.length === 0);
  if (open && (!best || best.code === "missing_header")) return { ok: true, source: open, scheme: "none" };
  return { ok: false, ...(best ?? { code: "missing_header", suspect: sources[0] ?? null }) };
}

/** The further verification got, the more likely the request was meant for that source. */
const certainty: Readonly<Record<RefusalCode, number>> = {
  missing_header: 0,
  malformed_header: 1,
  unknown_api_key: 2,
  bad_signature: 3,
  timestamp_future: 4,
  timestamp_stale: 4,
  token_expired: 4,
  bad_body_hash: 5,
};
