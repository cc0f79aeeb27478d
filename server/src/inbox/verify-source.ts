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
  let best: { code: RefusalCode; suspect: ActiveSource; certainty: number } | null = null;
  for (const source of sources) {
    const { secrets, setup } = source;
    if (secrets.length === 0) continue;
    const checked = provider.verify({ request, secrets, setup, nowMs });
    if (checked.ok) return { ok: true, source, scheme: checked.scheme };
    const { code } = checked;
    // The time is looked at first, so its refusal says nothing about the signature, which says whose request it is.
    const isSigned = timeCodes.has(code) && provider.verify({ request, secrets, setup, nowMs: null }).ok;
    const sure = isSigned ? signedCertainty : certainty[code];
    if (!best || sure > best.certainty) best = { code, suspect: source, certainty: sure };
  }
  const open = sources.find((source) => source.auth === "none");
  if (open && (!best || best.code === "missing_header")) return { ok: true, source: open, scheme: "none" };
  return { ok: false, code: best?.code ?? "missing_header", suspect: best?.suspect ?? sources[0] ?? null };
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

const timeCodes: ReadonlySet<RefusalCode> = new Set(["timestamp_future", "timestamp_stale", "token_expired"]);
const signedCertainty = 6;
