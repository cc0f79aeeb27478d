import { limits } from "#/kernel/limits.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";

import { invalid } from "./refusals.ts";
import { type EndpointSettings, rateOf } from "./store.ts";

export type HandshakeDeps = {
  readonly http: Pick<GuardedHttp, "request">;
  /** The name under which we ask: the host of our own URL. */
  readonly origin: string;
};

type Asking = Pick<EndpointSettings, "url" | "fallback_url" | "rate_limit" | "rate_per_seconds" | "rate_burst">;

/**
 * Asks the receiver whether it wants to be called by us, before anything is sent (CloudEvents HTTP 1.1 Web Hooks §4): `OPTIONS`
 * with our name, and our rate a minute where the endpoint has one.
 * @throws Invalid when one of its URLs does not allow it. What exactly went wrong on the way is not told: a closed port looks
 * like an address that may not be called.
 */
export async function shakeHands(
  { http, origin }: HandshakeDeps,
  settings: Asking,
  privateTargets: readonly string[],
): Promise<void> {
  const rate = rateOf(settings);
  const perMinute = rate && Math.max(Math.floor((rate.limit * 60) / rate.per_seconds), 1);
  const asked = {
    "webhook-request-origin": origin,
    ...(perMinute !== null && { "webhook-request-rate": String(perMinute) }),
  };
  await ask("/url", settings.url);
  if (settings.fallback_url !== null) await ask("/fallback_url", settings.fallback_url);

  async function ask(pointer: string, url: string): Promise<void> {
    const request = { method: "OPTIONS", headers: asked, body: null, responseBytesMax: 0, privateTargets } as const;
    const answer = await http.request({ ...request, url, timeoutMs: limits.handshakeTimeoutMs }).catch(() => null);
    if (answer === null) throw invalid(pointer, "No answer to OPTIONS, with which the handshake begins");
    const allowed = textOf(answer.headers["webhook-allowed-origin"]);
    if (answer.status >= 300 || (allowed !== "*" && allowed.toLowerCase() !== origin.toLowerCase())) {
      throw invalid(pointer, `The receiver does not allow ${origin}: it must answer 2xx with WebHook-Allowed-Origin`);
    }
    if (perMinute === null) return;
    const allowedRate = textOf(answer.headers["webhook-allowed-rate"]);
    if (allowedRate !== "*" && !(/^\d{1,9}$/.test(allowedRate) && Number(allowedRate) >= perMinute)) {
      const says = allowedRate === "" ? "no WebHook-Allowed-Rate" : `WebHook-Allowed-Rate: ${allowedRate.slice(0, 20)}`;
      throw invalid("/rate", `The receiver was asked for ${perMinute} requests a minute and answered with ${says}`);
    }
  }
}

function textOf(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value.join(", ") : (value ?? "")).trim();
}
