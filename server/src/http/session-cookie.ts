import type { IncomingMessage } from "node:http";

import type { Clock } from "#/kernel/clock.ts";
import { SealedElsewhere, type SecretBox } from "#/kernel/secrets.ts";

import { headersOf } from "./wire.ts";

/**
 * A credential as a cookie, for what in a browser cannot set headers. It is sealed, so who reads the cookie has no key; and it is
 * the credential itself, so it ends with the key or token that it was made of, and may never do more.
 */
export type SessionCookies = {
  /** `Set-Cookie` for an `Authorization`; null for one that is too long for a cookie. `until`: epoch milliseconds. */
  set(authorization: string, until: number): string | null;
  /** `Set-Cookie` that takes it away. */
  clear(): string;
  /** What a request brought as its session; it may be of anybody's making. Two are none. */
  find(request: IncomingMessage): string | null;
  /** The `Authorization` in a session; null for one that is not ours or is over. */
  authorizationIn(session: string): string | null;
};

export type SessionCookieOptions = {
  readonly box: SecretBox;
  readonly clock: Clock;
  /** Whether browsers reach this server by https. */
  readonly isSecure: boolean;
};

export function createSessionCookies({ box, clock, isSecure }: SessionCookieOptions): SessionCookies {
  const name = sessionCookieName(isSecure);
  const attributes = `Path=/; HttpOnly; SameSite=Strict${isSecure ? "; Secure" : ""}`;

  return {
    set(authorization, until) {
      const value = box.seal(Buffer.from(JSON.stringify({ authorization, until })), place).toString("base64url");
      if (value.length > valueLengthMax) return null;
      return `${name}=${value}; Max-Age=${Math.floor((until - clock.now()) / 1000)}; ${attributes}`;
    },
    clear: () => `${name}=; Max-Age=0; ${attributes}`,
    find(request) {
      const pairs = (headersOf(request).get("cookie") ?? []).flatMap((header) => header.split(/; */));
      const values = pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
      const [value, ...others] = values;
      return value && others.length === 0 ? value : null;
    },
    authorizationIn(session) {
      try {
        const said: unknown = JSON.parse(box.open(Buffer.from(session, "base64url"), place).toString());
        const { authorization, until } = said as { authorization: string; until: number };
        return until > clock.now() ? authorization : null;
      } catch (error) {
        if (error instanceof SealedElsewhere) return null;
        throw error;
      }
    },
  };
}

/** With TLS its prefix makes browsers refuse one that another host of the domain set (RFC 6265bis §4.1.3). */
export function sessionCookieName(isSecure: boolean): string {
  return isSecure ? "__Host-aftercall-session" : "aftercall-session";
}

/** Browsers keep 4,096 bytes of a cookie, its name and attributes among them. */
const valueLengthMax = 3_800;

/** Of no table: a session is kept by the browser. */
const place = { tenant: "", table: "", row: "", column: "session cookie" };
