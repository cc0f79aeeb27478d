import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { nowMs } from "../load/clock.ts";
import { serve } from "../machine/remote.ts";

/** Thousands of listeners in a process of their own, that do only what a listener must. */
const handlers = { open, expect, quiet, results, cut, reopen, leave };
export type Clients = typeof handlers;

export type Opening = {
  readonly kind: "socket" | "stream";
  readonly port: number;
  readonly key: string;
  /** The call that each client follows, by the provider's id. */
  readonly calls: readonly string[];
  /** A call that all of them follow. */
  readonly common: string;
};

type Client = Omit<Opening, "calls"> & {
  readonly call: string;
  socket: Socket;
  /** Cursor of the last item. */
  cursor: string;
  pending: Buffer;
  /** Numbers of the updates it has heard, in their order. */
  readonly heard: number[];
  /** How many subscriptions were answered, and whether it hears everything from now on. */
  answers: number;
  isListening: boolean;
};

const clients: Client[] = [];
let lastAt = 0;
/** When each update reached a client, by its number, for the updates that count. */
let counted = { from: 0, to: 0 };
let arrivals: { update: number; at: number }[] = [];

/** Opens one connection for each call, some at a time, and resolves when all are listening. */
async function open({ calls, ...opening }: Opening): Promise<number> {
  for (let from = 0; from < calls.length; from += 100) {
    await Promise.all(calls.slice(from, from + 100).map((call) => openOne({ ...opening, call })));
  }
  return clients.length;
}

function openOne(opening: Omit<Opening, "calls"> & { readonly call: string }): Promise<void> {
  const client: Client = {
    ...opening,
    socket: connect({ port: opening.port, host: "127.0.0.1", noDelay: true }),
    cursor: "",
    pending: Buffer.alloc(0),
    heard: [],
    answers: 0,
    isListening: false,
  };
  clients.push(client);
  return listen(client);
}

function listen(client: Client): Promise<void> {
  return new Promise((resolve, reject) => {
    const { socket, kind } = client;
    let isOpen = false;
    client.pending = Buffer.alloc(0);
    client.answers = 0;
    client.isListening = false;
    socket.write(kind === "socket" ? handshake(client) : request(client));
    socket.on("error", reject);
    socket.on("data", (chunk: Buffer) => {
      client.pending = client.pending.length > 0 ? Buffer.concat([client.pending, chunk]) : chunk;
      if (!isOpen) {
        const end = client.pending.indexOf("\r\n\r\n");
        if (end < 0) return;
        const head = client.pending.subarray(0, end).toString("latin1");
        if (!/^HTTP\/1\.1 (?:101|200) /.test(head)) return reject(new Error(head));
        isOpen = true;
        client.pending = client.pending.subarray(end + 4);
        if (kind === "stream") resolve();
        else sayWhatFor(client);
      }
      if (kind === "stream") readItems(client);
      else readFrames(client);
      if (client.isListening) resolve();
    });
  });
}

function handshake({ key }: Client): string {
  return [
    "GET /v1/ws HTTP/1.1",
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    `Sec-WebSocket-Protocol: aftercall.v1, bearer.${key}`,
    "\r\n",
  ].join("\r\n");
}

function request({ key, call, common, cursor }: Client): string {
  return [
    `GET /v1/stream?topics=call:${call},call:${common} HTTP/1.1`,
    "Host: 127.0.0.1",
    `Authorization: Bearer ${key}`,
    ...(cursor === "" ? [] : [`Last-Event-ID: ${cursor}`]),
    "\r\n",
  ].join("\r\n");
}

function sayWhatFor({ socket, call, common, cursor }: Client): void {
  const identifiers = [call, common];
  if (cursor !== "") socket.write(masked({ action: "resume", cursor, identifiers }));
  else for (const identifier of identifiers) socket.write(masked({ action: "subscribe", identifier }));
}

/** A text frame as clients send it, masked with zeros. */
function masked(content: object): Buffer {
  const payload = Buffer.from(JSON.stringify(content));
  const { length } = payload;
  const size = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([0x81, ...size, 0, 0, 0, 0]), payload]);
}

function readFrames(client: Client): void {
  for (;;) {
    const { pending } = client;
    if (pending.length < 2) return;
    const short = (pending[1] ?? 0) & 0x7f;
    const start = short === 126 ? 4 : 2;
    if (pending.length < start) return;
    const length = short === 126 ? pending.readUInt16BE(2) : short;
    if (pending.length < start + length) return;
    const opcode = (pending[0] ?? 0) & 0x0f;
    const text = pending.toString("latin1", start, start + length);
    client.pending = pending.subarray(start + length);
    if (opcode === 9) client.socket.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0]));
    const cursor = /"cursor":"([^"]+)"\}$/.exec(text)?.[1];
    client.cursor = cursor ?? client.cursor;
    // In the middle of a resume, answers have no cursor.
    if (text.startsWith('{"type":"subscribed"') && cursor !== undefined) client.answers++;
    client.isListening ||= text.startsWith('{"type":"resumed"') || client.answers === 2;
    note(client, text);
  }
}

/** Chunked encoding is looked over rather than decoded: an item ends with an empty line, whatever stands between. */
function readItems(client: Client): void {
  for (let end = client.pending.indexOf("\n\n"); end >= 0; end = client.pending.indexOf("\n\n")) {
    const text = client.pending.toString("latin1", 0, end);
    client.pending = client.pending.subarray(end + 2);
    client.cursor = /(?:^|\n)id: (.+)/.exec(text)?.[1] ?? client.cursor;
    note(client, text);
  }
}

function note(client: Client, text: string): void {
  const number = /update (\d+)/.exec(text)?.[1];
  if (number === undefined) return;
  lastAt = nowMs();
  const update = Number(number);
  client.heard.push(update);
  if (update >= counted.from && update < counted.to) arrivals.push({ update, at: nowMs() });
}

/** Begins to note when updates of these numbers arrive. */
function expect(range: { from: number; to: number }): void {
  counted = range;
  arrivals = [];
}

/** Resolves when nobody has heard anything for a second. */
async function quiet(): Promise<void> {
  for (lastAt = nowMs(); nowMs() - lastAt < 1_000;) await sleep(50);
}

export type Heard = {
  readonly updates: Int32Array;
  readonly at: Float64Array;
  /** Of the clients whose call got an update in the range: how many they missed, and how many they heard twice. */
  readonly missed: { readonly streams: number; readonly sockets: number };
  readonly repeated: { readonly streams: number; readonly sockets: number };
};

/** What was heard of the updates in the range; `callOf` names the call of each, null: everybody's. */
function results({ callOf }: { callOf: readonly (string | null)[] }): Heard {
  const { from, to } = counted;
  const missed = { streams: 0, sockets: 0 };
  const repeated = { streams: 0, sockets: 0 };
  const wanted = new Map<string | null, number[]>();
  for (let update = from; update < to; update++) {
    const call = callOf[update - from] ?? null;
    wanted.set(call, [...(wanted.get(call) ?? []), update]);
  }
  for (const { kind, call, heard } of clients) {
    const own = heard.filter((update) => update >= from && update < to);
    const distinct = new Set(own);
    const name = kind === "stream" ? "streams" : "sockets";
    repeated[name] += own.length - distinct.size;
    for (const update of [...(wanted.get(call) ?? []), ...(wanted.get(null) ?? [])])
      if (!distinct.has(update)) missed[name]++;
  }
  return {
    updates: Int32Array.from(arrivals, ({ update }) => update),
    at: Float64Array.from(arrivals, ({ at }) => at),
    missed,
    repeated,
  };
}

/** Breaks every nth connection, as a bad network does. Gives how many. */
function cut({ every }: { every: number }): number {
  const some = clients.filter((_client, index) => index % every === 0);
  for (const { socket } of some) socket.destroy();
  return some.length;
}

/** Connects everybody whose connection is gone: with its cursor. */
async function reopen({ port }: { port: number }): Promise<number> {
  const gone = clients.filter(({ socket }) => socket.destroyed || !socket.writable);
  for (let from = 0; from < gone.length; from += 100) {
    await Promise.all(
      gone.slice(from, from + 100).map((client) => {
        client.socket.removeAllListeners();
        client.socket.on("error", () => {});
        client.socket.destroy();
        client.socket = connect({ port, host: "127.0.0.1", noDelay: true });
        return listen(client);
      }),
    );
  }
  return gone.length;
}

/** Everybody goes, for good. */
function leave(): void {
  for (const { socket } of clients.splice(0)) socket.destroy();
}

serve(handlers);
