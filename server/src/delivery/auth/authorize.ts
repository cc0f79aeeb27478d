import type { Clock } from "#/kernel/clock.ts";
import type { ClientTls, GuardedHttp } from "#/kernel/net/http.ts";

import type { Target } from "../target.ts";
import { clientTlsOf } from "./client-tls.ts";
import { createTokens } from "./tokens.ts";

/** What shows the receiver who we are. */
export type Proof = { readonly headers: readonly (readonly [string, string])[]; readonly tls: ClientTls | null };

export type Authorizer = {
  /** @throws AuthFailure when there is nothing to prove it with: no access token could be had. */
  prove(target: Target, signal: AbortSignal): Promise<Proof>;
  /** The receiver answered 401: an access token that was kept is not used again. */
  refused(target: Target): void;
};

export { AuthFailure } from "./tokens.ts";

export function createAuthorizer({ http, clock }: { http: GuardedHttp; clock: Clock }): Authorizer {
  const tokens = createTokens({ http, clock });
  return {
    async prove({ auth, id, timeoutMs, privateTargets }, signal) {
      switch (auth?.type) {
        case undefined:
          return nothing;
        case "basic":
          return header(
            "authorization",
            `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString("base64")}`,
          );
        case "bearer":
          return header("authorization", `Bearer ${auth.token}`);
        case "api_key":
          return header(auth.header, auth.value);
        case "oauth2":
          return header("authorization", `Bearer ${await tokens.get(id, auth, { timeoutMs, signal, privateTargets })}`);
        case "mtls":
          return { headers: [], tls: clientTlsOf(auth) };
      }
    },
    refused({ id }) {
      tokens.forget(id);
    },
  };
}

const nothing: Proof = { headers: [], tls: null };

function header(name: string, value: string): Proof {
  return { headers: [[name, value]], tls: null };
}
