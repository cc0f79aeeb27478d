/**
 * Public ids: a prefix that names the thing and its UUID in Crockford base32 (26 lower-case characters).
 * They sort by time as the UUIDv7 inside does, and a pasted id says what it is.
 */
export const idPrefixes = {
  tenant: "ten",
  user: "usr",
  api_key: "key",
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
  recording: "rec",
  analysis_plan: "pln",
  analysis_run: "run",
  analysis_job: "job",
} as const;

export type IdKind = keyof typeof idPrefixes;

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** `("call", "0199…")` → `call_06cs…`. */
export function toPublicId(kind: IdKind, uuid: string): string {
  let n = BigInt(`0x${uuid.replaceAll("-", "")}`);
  let text = "";
  for (let i = 0; i < 26; i++) {
    text = alphabet.charAt(Number(n & 31n)) + text;
    n >>= 5n;
  }
  return `${idPrefixes[kind]}_${text}`;
}

/** The UUID inside a public id, or a plain UUID as it is; `null` when it is neither, or names another kind of thing. */
export function fromPublicId(kind: IdKind, id: string): string | null {
  const lower = id.toLowerCase();
  if (uuidForm.test(lower)) return lower;
  const prefix = `${idPrefixes[kind]}_`;
  if (!lower.startsWith(prefix) || lower.length !== prefix.length + 26) return null;
  let n = 0n;
  for (const letter of lower.slice(prefix.length)) {
    const digit = alphabet.indexOf(letter);
    if (digit < 0) return null;
    n = (n << 5n) | BigInt(digit);
  }
  if (n >> 128n !== 0n) return null;
  const hex = n.toString(16).padStart(32, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
