import type { RefusalCode, Verification } from "../provider.ts";

/**
 * Runs the checks of one scheme and names it in the result. Checks throw {@link Refused}; anything else is a bug and
 * passes through. The order that gives every request one code: header present, header well formed, then for a JWT alg,
 * key id, signature, time, body hash, and for everything else time, signature, body hash.
 */
export function check(scheme: string, checks: () => void): Verification {
  try {
    checks();
    return { ok: true, scheme };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, code: error.code };
    throw error;
  }
}

/** Ends a verification. The code goes to the log and the quarantine, never to the caller. */
export class Refused extends Error {
  readonly code: RefusalCode;
  constructor(code: RefusalCode) {
    super(code);
    this.name = "Refused";
    this.code = code;
  }
}
