import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

import { type WebSocket, WebSocketServer } from "ws";

import { createSaid, type Said } from "./said.ts";

/** What we said to the model. */
export type ToModel = {
  readonly type: string;
  readonly audio?: string;
  readonly item_id?: string;
  readonly audio_end_ms?: number;
  readonly session?: { readonly instructions?: string };
  readonly item?: Record<string, unknown>;
};

export type ModelConnection = {
  readonly said: Said<ToModel>;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  /** All the sound that it was given. */
  sound(): Buffer;
  /** Resolves when it was given this much sound. */
  soundOf(ms: number): Promise<void>;
  say(event: object): void;
  /** An answer, all of it at once: `ms` of sound in pieces of `pieceMs`, each byte `sound`. */
  answer(given: Answer): void;
  /** The caller said something from one moment of this connection's sound to another. */
  heard(itemId: string, fromMs: number, toMs: number, text: string): void;
  readonly closed: Promise<void>;
  cut(): void;
};

export type Answer = {
  readonly id: string;
  readonly ms: number;
  readonly pieceMs?: number;
  readonly text?: string;
  readonly sound?: number;
  /** More is to come. */
  readonly isOpen?: boolean;
};

export type ModelServer = {
  readonly url: string;
  readonly connections: Said<ModelConnection>;
  /** The next connections say nothing by themselves. */
  isSilent: boolean;
  /** The next connections are answered with this status. */
  refusesWith: number | null;
  /** The first, second, … connection. */
  connection(number: number): Promise<ModelConnection>;
  close(): Promise<void>;
};

export const usage = {
  total_tokens: 160,
  input_tokens: 100,
  output_tokens: 60,
  input_token_details: { cached_tokens: 40, text_tokens: 20, audio_tokens: 80 },
  output_token_details: { text_tokens: 10, audio_tokens: 50 },
};

/** A model in the Realtime protocol that says what the test tells it to say. */
export async function startModel({ answersPings = true } = {}): Promise<ModelServer> {
  const connections = createSaid<ModelConnection>();
  const state = { isSilent: false, refusesWith: null as number | null };
  const server = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    autoPong: answersPings,
    verifyClient: (_info, done) => done(state.refusesWith === null, state.refusesWith ?? 200, "no"),
  });
  await once(server, "listening");
  server.on("connection", (socket, request) => connections.add(connectionOf(socket, request, state.isSilent)));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    url: `ws://127.0.0.1:${port}/v1/realtime`,
    connections,
    async connection(number: number) {
      await connections.when(() => connections.all.length >= number);
      const connection = connections.all[number - 1];
      if (!connection) throw new Error("there is no such connection");
      return connection;
    },
    async close() {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function connectionOf(socket: WebSocket, request: IncomingMessage, isSilent: boolean): ModelConnection {
  const said = createSaid<ToModel>();
  const sounds: Buffer[] = [];
  let soundBytes = 0;
  socket.on("message", (data) => {
    const event = JSON.parse(String(data)) as ToModel;
    const sound = Buffer.from(event.audio ?? "", "base64");
    sounds.push(sound);
    soundBytes += sound.length;
    said.add(event);
    if (event.type === "session.update" && !isSilent) say({ type: "session.updated", session: {} });
  });
  socket.on("error", () => {});
  if (!isSilent) say({ type: "session.created", session: {} });

  return {
    said,
    url: request.url ?? "",
    headers: request.headers,
    sound,
    async soundOf(ms) {
      await said.when(() => soundBytes >= ms * 8);
    },
    say,
    answer({ id, ms, pieceMs = 100, text = "", sound: byte = 0x10, isOpen = false }) {
      const part = { response_id: `resp_${id}`, item_id: `item_${id}`, output_index: 0, content_index: 0 };
      say({ type: "response.created", response: { id: part.response_id } });
      for (let at = 0; at < ms; at += pieceMs) {
        const delta = Buffer.alloc(Math.min(pieceMs, ms - at) * 8, byte).toString("base64");
        say({ type: "response.output_audio.delta", ...part, delta });
      }
      say({ type: "response.output_audio_transcript.delta", ...part, delta: text });
      if (isOpen) return;
      say({ type: "response.output_audio_transcript.done", ...part, transcript: text });
      say({ type: "response.output_audio.done", ...part });
      say({ type: "response.done", response: { id: part.response_id, status: "completed", usage } });
    },
    heard(itemId, fromMs, toMs, text) {
      say({ type: "input_audio_buffer.speech_started", item_id: itemId, audio_start_ms: fromMs });
      say({ type: "input_audio_buffer.speech_stopped", item_id: itemId, audio_end_ms: toMs });
      say({
        type: "conversation.item.input_audio_transcription.completed",
        ...{
          item_id: itemId,
          content_index: 0,
          transcript: text,
          usage: { type: "duration", seconds: (toMs - fromMs) / 1000 },
        },
      });
    },
    closed: once(socket, "close").then(() => {}),
    cut: () => socket.terminate(),
  };

  function sound(): Buffer {
    return Buffer.concat(sounds);
  }

  function say(event: object): void {
    socket.send(JSON.stringify({ event_id: "event_1", ...event }));
  }
}
