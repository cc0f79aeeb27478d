/**
 * Public ids: a prefix that names the thing and its UUID in Crockford base32 (26 lower-case characters).
 * They sort by time as the UUIDv7 inside does, and a pasted id says what it is.
 */
export const idPrefixes = {
  tenant: "ten",
  user: "usr",
  api_key: "key",
  identity_provider: "idp",
  audit_entry: "aud",
  source: "src",
  source_secret: "sec",
  event: "evt",
  quarantined: "qua",
  call: "call",
  campaign: "cmp",
  assignment: "asg",
  training_session: "ses",
  endpoint: "ep",
  message: "msg",
  delivery: "dlv",
  attempt: "att",
  replay: "rpl",
  resend: "rsd",
  erasure: "ers",
  recording: "rec",
  analysis_plan: "pln",
  analysis_run: "run",
  analysis_job: "job",
  analysis_promotion: "prm",
  test_case: "tst",
  import: "imp",
} as const;

export type IdKind = keyof typeof idPrefixes;

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** `("call", "0199…")` → `call_06cs…`. */
export function toPublicId(kind: IdKind, uuid: string): string {
  let text = "";
  // 128 bits from the left in groups of five, of which the first has three: plain numbers, a BigInt takes twenty times as long.
  let held = 0;
  let bits = 2;
  for (let at = 0; at < uuid.length; at++) {
    const code = uuid.charCodeAt(at);
    if (code === dash) continue;
    held = (held << 4) | (code <= nine ? code - zero : code - letterA + 10);
    bits += 4;
    if (bits < 5) continue;
    bits -= 5;
    text += alphabet.charAt(held >> bits);
    held &= (1 << bits) - 1;
  }
  return `${idPrefixes[kind]}_${text}`;
}

const [zero, nine, letterA, dash] = [48, 57, 97, 45];

/** The UUID inside a public id, or a plain UUID as it is; `null` when it is neither, or names another kind of thing. */
export function fromPublicId(kind: IdKind, id: string): string | null {
  const lower = id.toLowerCase();
  if (uuidForm.test(lower)) return lower;
  const prefix = `${idPrefixes[kind]}_`;
  if (!lower.startsWith(prefix) || lower.length !== prefix.length + 26) return null;
  let hex = "";
  let held = 0;
  let bits = -2;
  for (let at = prefix.length; at < lower.length; at++) {
    const digit = alphabet.indexOf(lower.charAt(at));
    // The first has three bits: 26 letters could hold two more than there are.
    if (digit < 0 || (at === prefix.length && digit > 7)) return null;
    held = (held << 5) | digit;
    bits += 5;
    for (; bits >= 4; bits -= 4) {
      hex += ((held >> (bits - 4)) & 15).toString(16);
    }
    held &= (1 << bits) - 1;
  }
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
