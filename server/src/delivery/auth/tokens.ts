import { createHash } from "node:crypto";

import type { EndpointAuth } from "@aftercall/contract/endpoint.ts";
import { z } from "zod";

import type { Clock } from "#/kernel/clock.ts";
import { messageOf } from "#/kernel/errors.ts";
import { limits } from "#/kernel/limits.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";

type OAuth2 = Extract<EndpointAuth, { type: "oauth2" }>;

/** No access token could be had. The message is for the operator. */
export class AuthFailure extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "AuthFailure";
  }
}

type Asking = {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** As in a request. */
  readonly privateTargets?: readonly string[];
};

export type Tokens = {
  /**
   * The access token for an endpoint: the one that is kept, or a new one. Many that ask at once wait for one request.
   * @throws AuthFailure
   */
  get(endpointId: string, auth: OAuth2, options: Asking): Promise<string>;
  forget(endpointId: string): void;
};

type Token = { readonly value: string; readonly until: number };
type Entry = { readonly digest: string; readonly token: Promise<Token> };

/** OAuth 2.0 client credentials (RFC 6749 §4.4), through the guarded client like everything that tenants name. */
export function createTokens({ http, clock }: { http: GuardedHttp; clock: Clock }): Tokens {
  const entries = new Map<string, Entry>();
  return {
    async get(endpointId, auth, options) {
      const digest = createHash("sha256").update(JSON.stringify(auth)).digest("base64");
      const known = entries.get(endpointId);
      if (known?.digest === digest) {
        const token = await known.token;
        if (token.until > clock.monotonic()) return token.value;
        if (entries.get(endpointId) === known) entries.delete(endpointId);
      }
      const fetching = entries.get(endpointId);
      const entry = fetching?.digest === digest ? fetching : { digest, token: fetchToken(auth, options) };
      if (entry !== fetching) keep(endpointId, entry);
      return (await entry.token).value;
    },
    forget(endpointId) {
      entries.delete(endpointId);
    },
  };

  function keep(endpointId: string, entry: Entry): void {
    entries.delete(endpointId);
    entries.set(endpointId, entry);
    entry.token.catch(() => {
      if (entries.get(endpointId) === entry) entries.delete(endpointId);
    });
    for (const oldest of entries.keys()) {
      if (entries.size <= limits.accessTokensMax) break;
      entries.delete(oldest);
    }
  }

  async function fetchToken(auth: OAuth2, asking: Asking): Promise<Token> {
    const askedAt = clock.monotonic();
    const { status, body } = await ask(auth, asking);
    if (status !== 200) throw new AuthFailure(`The token URL answered ${status}`);
    const answer = Answer.safeParse(read(body));
    if (!answer.success) throw new AuthFailure("The token URL answered without a bearer token that can be sent");
    const { access_token: value, expires_in: seconds } = answer.data;
    // Early enough that it does not expire on the way.
    const keepMs = Math.max(seconds * 1000 - limits.accessTokenEarlyMs, 0);
    return { value, until: askedAt + Math.min(keepMs, limits.accessTokenKeepMsMax) };
  }

  async function ask(auth: OAuth2, asking: Asking) {
    try {
      return await http.request({
        url: auth.token_url,
        method: "POST",
        ...formOf(auth),
        ...asking,
        responseBytesMax: 65_536,
      });
    } catch (error) {
      throw new AuthFailure(`No answer from the token URL: ${messageOf(error)}`, error);
    }
  }
}

const Answer = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]{1,8000}$/),
  token_type: z
    .string()
    .regex(/^bearer$/i)
    .optional(),
  expires_in: z.coerce.number().min(0).catch(300).default(300),
});

function formOf({ client_id: id, client_secret: secret, scope, audience, client_auth: where }: OAuth2) {
  const form = new URLSearchParams({ grant_type: "client_credentials" });
  if (scope !== null) form.set("scope", scope);
  if (audience !== null) form.set("audience", audience);
  if (where === "body") {
    form.set("client_id", id);
    form.set("client_secret", secret);
  }
  const basic = Buffer.from(`${encode(id)}:${encode(secret)}`).toString("base64");
  return {
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      accept: "application/json",
      ...(where === "header" && { authorization: `Basic ${basic}` }),
    },
    body: Buffer.from(form.toString()),
  };
}

/** Id and secret are form-encoded before they are joined (RFC 6749 §2.3.1). */
function encode(text: string): string {
  return new URLSearchParams({ x: text }).toString().slice(2);
}

function read(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return null;
  }
}
