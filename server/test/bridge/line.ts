import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { WebSocketServer } from "ws";

import type { BridgeDeps } from "#/bridge/deps.ts";
import { openStream, type Stream } from "#/bridge/stream.ts";
import { makeToken } from "#/bridge/token.ts";
import { createTrackFile } from "#/bridge/track-file.ts";
import { silentLog } from "#/kernel/log.ts";
import { createGuardedSockets, listenTo } from "#/kernel/net/web-socket.ts";
import { BridgeSetup } from "#/providers/twilio/bridge-setup.ts";
import { twilio } from "#/providers/twilio/index.ts";

import { createFakeClock } from "../harness/clock.ts";
import { newCallSid, newUuid } from "../harness/customer.ts";
import { startModel } from "./model-server.ts";
import { createSaid } from "./said.ts";
import { openTwilio } from "./twilio-peer.ts";

/** A note as it would go to the inbox. */
export type Note = {
  readonly note: "began" | "said" | "recorded" | "ended";
  readonly reason?: string;
  readonly detail?: string | null;
  readonly is_over?: boolean;
  readonly turns?: readonly Record<string, unknown>[];
  readonly moments?: readonly Record<string, unknown>[];
  readonly usage?: Record<string, number>;
  readonly turn?: Record<string, unknown>;
  readonly duration_ms?: number;
};

/** Streams of one source over real connections, with a model that does what the test says; what is noted is kept in a list. */
export async function openLine({ modelAnswersPings = true } = {}) {
  const clock = createFakeClock();
  const model = await startModel({ answersPings: modelAnswersPings });
  const key = Buffer.alloc(32, 7);
  const sockets = createGuardedSockets({ allowPlain: true });
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    clock,
    model,
    async call(
      changes: Partial<BridgeSetup> = {},
      deps: Partial<Pick<BridgeDeps, "note" | "keep">> = {},
      { answersPings = true } = {},
    ) {
      const notes = createSaid<Note>();
      const recordings: Buffer[] = [];
      const discarded: unknown[] = [];
      const ids = { sourceId: newUuid(), callSid: newCallSid(), session: newUuid() };
      const setup = BridgeSetup.parse({ is_on: true, url: model.url, speaks_first: false, ...changes });
      const opened = Promise.withResolvers<Stream>();
      server.once("connection", (socket) => {
        const stream: Stream = openStream({
          ...{ clock, key, setup, log: silentLog() },
          source: {
            ...{ tenantId: newUuid(), id: ids.sourceId, slug: "line", provider: twilio, setup: {} },
            ...{ auth: "required", secrets: [], givenRoutesCreate: false, userId: null },
          },
          wire: listenTo(socket, {
            opened: () => {},
            heard: (text) => stream.hear(text),
            pong: () => stream.pong(),
            closed: () => stream.closed(),
          }),
          connect: async () => (events) =>
            sockets.open({ url: model.url, headers: {}, privateTargets: ["127.0.0.0/8"] }, events),
          newTrack: () => createTrackFile(path.join(tmpdir(), `${newUuid()}.ulaw`)),
          async note(_source, note) {
            notes.add(note as Note);
            return "new";
          },
          async keep(_tenant, wav) {
            const chunks: Buffer[] = [];
            for await (const chunk of wav) chunks.push(chunk);
            recordings.push(Buffer.concat(chunks));
            return { blob_key: "b", sealed_key: "k", sha256: "s", bytes: chunks.length };
          },
          discard: async (stored) => void discarded.push(stored),
          ...deps,
        });
        opened.resolve(stream);
      });
      const token = makeToken(key, ids, clock.now());
      const peer = await openTwilio(`ws://127.0.0.1:${port}`, { callSid: ids.callSid, token, answersPings });
      const stream = await opened.promise;
      const ended = () => notes.all.filter(({ note }) => note === "ended");
      return { ...ids, token, peer, stream, notes, recordings, discarded, ended };
    },
    async close() {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
      await model.close();
    },
  };
}
