import { NotFound, Unauthorized, Unavailable } from "#/kernel/errors.ts";
import type { SocketWire } from "#/kernel/net/web-socket.ts";
import { randomToken } from "#/kernel/random.ts";
import { readForm } from "#/providers/form.ts";
import type { Answer, ProviderRequest } from "#/providers/provider.ts";
import { secretOf } from "#/providers/recording.ts";
import { TwilioSetup } from "#/providers/twilio/setup.ts";
import { verifyStream } from "#/providers/twilio/verify.ts";
import type { ActiveSource } from "#/sources/active.ts";

import type { BridgeDeps, BridgedSource } from "./deps.ts";
import { bridgeLimits } from "./limits.ts";
import { openStream, type Stream } from "./stream.ts";
import { makeToken } from "./token.ts";
import { connectTwiml } from "./twiml.ts";

export type Bridge = {
  /** Answers Twilio's question what to do with a call. @throws NotFound where the bridge is off */
  answer(slug: string, request: ProviderRequest, remoteAddress: string): Promise<Answer>;
  /** Judges the request that opens a stream. @throws NotFound, Unauthorized, Unavailable */
  admit(slug: string, request: ProviderRequest): Promise<BridgedSource>;
  /** Takes over the connection that was admitted. */
  open(wire: SocketWire, admitted: BridgedSource): Stream;
  /** Ends every call, and resolves when the end of each is stored. */
  stop(): Promise<void>;
};

/** Calls of Twilio that a speech model answers. Each has a pair of connections of its own, and ends as every other call does: in the inbox. */
export function createBridge(deps: BridgeDeps): Bridge {
  const { clock, random, publicUrl, key } = deps;
  const streams = new Set<Stream>();
  let isStopping = false;

  return {
    async answer(slug, request, remoteAddress) {
      const { source, setup } = await find(slug);
      const answer = await deps.receive({ route: "own", source: slug, request, remoteAddress });
      const callSid = readForm(request.body)["CallSid"];
      if (answer.status !== 204 || !callSid) return answer;
      const ticket = { sourceId: source.id, callSid, session: randomToken(random, 16) };
      const body = connectTwiml({
        streamUrl: `${publicUrl.replace(/^http/i, "ws")}/webhooks/${slug}/stream`,
        token: makeToken(key, ticket, clock.now()),
        say: setup.say_on_failure,
        redirect: setup.redirect_on_failure,
      });
      return { status: 200, contentType: "text/xml; charset=utf-8", body };
    },

    async admit(slug, request) {
      const found = await find(slug);
      const { secrets, auth } = found.source;
      const verified = verifyStream(request, secrets);
      const isOpen = auth === "none" && !verified.ok && verified.code === "missing_header";
      if (!verified.ok && !isOpen) throw new Unauthorized("The signature of the stream is wrong or missing");
      if (isStopping || streams.size >= bridgeLimits.callsMax)
        throw new Unavailable("This server takes no more calls now");
      return found;
    },

    open(wire, { source, setup }) {
      const stream = openStream({ ...deps, wire, source, setup, connect: () => connect(source, setup) });
      streams.add(stream);
      void stream.done.finally(() => streams.delete(stream));
      return stream;
    },

    async stop() {
      isStopping = true;
      const open = [...streams];
      for (const stream of open) stream.stop();
      await Promise.all(open.map(({ done }) => done));
    },
  };

  async function find(slug: string): Promise<BridgedSource> {
    const source = await deps.sources.bySlug(slug);
    if (source?.provider.name !== "twilio") throw new NotFound("Source");
    const { bridge: setup } = TwilioSetup.parse(source.setup);
    if (!setup.is_on) throw new NotFound("Source");
    return { source, setup };
  }

  function connect({ tenantId, secrets }: ActiveSource, setup: TwilioSetup["bridge"]) {
    const url = new URL(setup.url);
    url.searchParams.set("model", setup.model);
    const secret = secretOf(secrets, "realtime_key");
    const headers: Record<string, string> = secret ? { authorization: `Bearer ${secret.value}` } : {};
    return deps.connect(tenantId, { url: url.href, headers });
  }
}
