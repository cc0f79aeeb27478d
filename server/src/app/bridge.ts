import type { FastifyInstance } from "fastify";

import { createBridge } from "#/bridge/bridge.ts";
import type { BridgeDeps } from "#/bridge/deps.ts";
import { createTrackFile } from "#/bridge/track-file.ts";
import { privateTargetsOf } from "#/delivery/endpoints/private-targets-store.ts";
import { registerMediaStream, registerVoice } from "#/http/bridge-routes.ts";
import { bridged, cameBy, readAs } from "#/inbox/read-as.ts";
import { createGuardedSockets } from "#/kernel/net/web-socket.ts";
import { deriveKey } from "#/kernel/secrets.ts";
import { twilio } from "#/providers/twilio/index.ts";
import { holdCarried } from "#/recordings/carried.ts";

import type { HttpParts } from "./http.ts";

/** Calls that a speech model answers. Registers where Twilio asks about a call, and gives the route of the call's sound. */
export function composeBridge(server: FastifyInstance, parts: HttpParts): (scope: FastifyInstance) => void {
  const { config, clock, random, log, sources, intake, database } = parts;
  const { publicUrl } = config;
  const { deps: recordings } = parts.recordings;
  const sockets = createGuardedSockets({
    allowPlain: !config.httpsOnly,
    ...(config.httpsProxy !== null && { proxy: { url: config.httpsProxy, noProxy: config.noProxy } }),
  });
  const bridge = createBridge({
    ...{ clock, random, log, sources, publicUrl },
    key: deriveKey(config.secret, "media streams"),
    receive: intake.receive,
    note: noteWith(parts),
    async connect(tenantId, { url, headers }) {
      const privateTargets = await database.db.inTransaction([tenantId], (tx) => privateTargetsOf(tx, tenantId));
      return (events) => sockets.open({ url, headers, privateTargets }, events);
    },
    newTrack: () => createTrackFile(recordings.spool.newPath("ulaw")),
    async keep(tenantId, wav) {
      await using held = await holdCarried(recordings, wav);
      return held.store(tenantId);
    },
    discard: (stored) => recordings.blobs.remove(stored.blob_key),
  });
  const routes = { bridge, publicUrl, bodyBytesMax: twilio.bodyBytesMax };
  registerVoice(server, routes);
  // Calls end before the connections are closed under them.
  server.addHook("preClose", bridge.stop);
  return (scope) => registerMediaStream(scope, routes);
}

/** Our own notes go the way of every webhook: stored once, read by the provider, applied in the same transaction. */
function noteWith({ config, clock, intake }: HttpParts): BridgeDeps["note"] {
  return async (source, note) => {
    const request = {
      method: "POST",
      url: `${config.publicUrl}/webhooks/${source.slug}/stream`,
      headers: new Map([["content-type", ["application/json"]]]),
      body: Buffer.from(JSON.stringify(note)),
    };
    const receivedAt = clock.now();
    const events = readAs(source.provider, cameBy(bridged), {
      ...{ request, setup: source.setup },
      receivedAtMs: receivedAt,
    });
    const [result] = await intake.batcher.add({
      ...{ tenantId: source.tenantId, sourceId: source.id, provider: source.provider.name, route: "own" },
      ...{ mayCreateCalls: true, userId: source.userId, request, receivedAt, verification: bridged, events },
    });
    return result?.effect === "repeat" ? "repeat" : "new";
  };
}
