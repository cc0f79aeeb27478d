import type { Clock } from "#/kernel/clock.ts";
import { HttpFailure } from "#/kernel/net/failure.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";
import type { PullRequest } from "#/providers/pull.ts";

import { pullLimits } from "./limits.ts";

/** What a provider's API said. `gone`: it knows nothing of what was asked for. */
export type PullAnswer =
  | { readonly kind: "body"; readonly body: Buffer; readonly contentType: string }
  | { readonly kind: "gone" };

/** Why asking has to stop for now. The detail goes to the tenant: it names no address. */
export class PullStopped extends Error {
  readonly result: "refused" | "limited" | "unavailable";
  /** How long the provider asks to be left alone. */
  readonly waitMs: number | null;
  constructor(result: PullStopped["result"], message: string, waitMs: number | null = null) {
    super(message);
    this.name = "PullStopped";
    this.result = result;
    this.waitMs = waitMs;
  }
}

export type AskDeps = { readonly http: Pick<GuardedHttp, "request">; readonly clock: Clock };

/** Makes one request through the guard. No redirect is followed: the request carries a credential. @throws PullStopped */
export async function ask(
  { http, clock }: AskDeps,
  request: PullRequest,
  { privateTargets, signal }: { readonly privateTargets: readonly string[]; readonly signal?: AbortSignal },
): Promise<PullAnswer> {
  const answer = await http
    .request({
      url: request.url.replace(/#.*$/s, ""),
      method: request.method,
      headers: request.headers,
      body: request.body === null ? null : Buffer.from(request.body),
      timeoutMs: pullLimits.timeoutMs,
      responseBytesMax: pullLimits.listBytesMax,
      privateTargets,
      ...(signal && { signal }),
    })
    .catch((error: unknown) => {
      if (!(error instanceof HttpFailure)) throw error;
      const isBlocked = error.failure === "blocked_target";
      const said = isBlocked ? "Its address is not one that this server connects to" : `No answer (${error.failure})`;
      throw new PullStopped(isBlocked ? "refused" : "unavailable", said);
    });
  const { status, headers, body, isTruncated } = answer;
  if (status === 404 || status === 410) return { kind: "gone" };
  if (status === 401 || status === 403)
    throw new PullStopped("refused", `The API answered ${status}: check the secret`);
  if (status === 429) {
    throw new PullStopped(
      "limited",
      "The API answered 429: too many requests",
      waitIn(headers["retry-after"], clock.now()),
    );
  }
  if (status !== 200) throw new PullStopped(status >= 500 ? "unavailable" : "refused", `The API answered ${status}`);
  if (isTruncated) throw new PullStopped("unavailable", "The answer broke off");
  const type = headers["content-type"];
  return { kind: "body", body, contentType: typeof type === "string" ? type : "" };
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function waitIn(header: string | string[] | undefined, nowMs: number): number | null {
  if (typeof header !== "string") return null;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), pullLimits.pauseMsMax) : null;
}
