import type { EndpointAuth } from "@aftercall/contract/endpoint.ts";

import { Conflict, Invalid } from "#/kernel/errors.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";

import { mtlsProblems } from "../auth/client-tls.ts";
import { keyOf } from "../sign.ts";
import { uidIndex } from "./store.ts";

/** One field that is refused, by its JSON pointer. */
export function invalid(pointer: string, detail: string): Invalid {
  return new Invalid(detail, [{ pointer, detail }]);
}

/** What judges the URLs of one tenant: the guard, with the blocks that the operator opened for the tenant. */
export type UrlJudge = { readonly http: Pick<GuardedHttp, "check">; readonly privateTargets: readonly string[] };

/** Says what is wrong with the text of a URL; whether a name is fine shows when it is dialled. */
export function checkUrl({ http, privateTargets }: UrlJudge, url: string, pointer: string): void {
  const verdict = http.check(url, privateTargets);
  if (!verdict.ok) {
    throw new Invalid(`The URL is refused: ${verdict.detail}`, [{ pointer, detail: verdict.detail }]);
  }
}

/** What a schema cannot see of credentials: whether a URL may be called, whether a certificate and a key belong together. */
export function checkAuth(judge: UrlJudge, auth: EndpointAuth | null | undefined): void {
  if (auth?.type === "oauth2") checkUrl(judge, auth.token_url, "/auth/token_url");
  if (auth?.type !== "mtls") return;
  const problems = mtlsProblems(auth);
  if (problems.length > 0) throw new Invalid("The client certificate cannot be used", problems);
}

export function checkSecret(secret: string | undefined): void {
  try {
    if (secret !== undefined) keyOf(secret);
  } catch (error) {
    if (error instanceof RangeError) throw invalid("/secret", error.message);
    throw error;
  }
}

/** Two endpoints of a tenant under one uid: whoever comes second is told. */
export function refusedUid(error: unknown): unknown {
  const isTaken = error instanceof Error && "constraint" in error && error.constraint === uidIndex;
  return isTaken ? new Conflict("Another endpoint has this uid; choose another, or change that one") : error;
}
