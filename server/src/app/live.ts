import type { FastifyInstance } from "fastify";

import type { OpenDatabase } from "#/db/open.ts";
import { registerAsyncApi } from "#/http/asyncapi.ts";
import type { GuardedAuth } from "#/http/guesses.ts";
import { registerSocket } from "#/http/live-socket.ts";
import { registerStream, sessionScheme } from "#/http/live-stream.ts";
import type { Rates } from "#/http/rates.ts";
import { createSessionCookies, type SessionCookies } from "#/http/session-cookie.ts";
import { registerSession } from "#/http/session.ts";
import { registerSockets } from "#/http/sockets.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Config } from "#/kernel/config.ts";
import { Unauthorized } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import type { Log } from "#/kernel/log.ts";
import type { SecretBox } from "#/kernel/secrets.ts";
import { createHub } from "#/live/hub.ts";
import { createResume } from "#/live/resume.ts";

export type LiveParts = {
  readonly config: Config;
  /** Origins of pages, besides our own, that may listen. */
  readonly allowedOrigins: ReadonlySet<string>;
  readonly version: string;
  readonly database: OpenDatabase;
  readonly auth: GuardedAuth;
  readonly rates: Rates;
  readonly box: SecretBox;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  /** Other routes that are WebSockets. */
  readonly sockets: readonly ((scope: FastifyInstance) => void)[];
};

/** Live updates over HTTP: one reader for everybody who listens to this process, which ends with the server. */
export async function composeLive(server: FastifyInstance, parts: LiveParts): Promise<void> {
  const { config, allowedOrigins, version, database, auth, rates, box, ids, clock, log } = parts;
  const { db, wake } = database;
  const sessions = createSessionCookies({ box, clock, isSecure: config.publicUrl.startsWith("https:") });
  const hub = createHub({ db, clock, log, tenantOf: tenantOf(auth, sessions) });
  const unsubscribe = wake.on("changes", hub.look);
  const own = new URL(config.publicUrl).origin;
  const routes = {
    auth,
    rates,
    hub,
    resume: createResume({ db, clock, log, hub }),
    db,
    clock,
    isAllowedOrigin: (origin: string, host: string | undefined) =>
      origin === own || allowedOrigins.has(origin) || (URL.canParse(origin) && new URL(origin).host === host),
  };
  registerStream(server, { ...routes, sessions });
  registerSession(server, { ...routes, sessions, ids });
  await registerSockets(server, clock, [(scope) => registerSocket(scope, { ...routes, log }), ...parts.sockets]);
  registerAsyncApi(server, { publicUrl: config.publicUrl, version });
  hub.start();
  server.addHook("preClose", async () => {
    unsubscribe();
    await hub.stop();
  });
}

function tenantOf(auth: GuardedAuth, sessions: SessionCookies) {
  return async (credential: string): Promise<string | null> => {
    const isSession = credential.startsWith(sessionScheme);
    const authorization = isSession ? sessions.authorizationIn(credential.slice(sessionScheme.length)) : credential;
    if (authorization === null) return null;
    try {
      return (await auth.caller([authorization])).tenant;
    } catch (error) {
      if (error instanceof Unauthorized) return null;
      throw error;
    }
  };
}
