import { type AddressInfo, createServer, type Socket } from "node:net";

import { callDigits, callMark } from "./load/bodies.ts";
import { nowMs } from "./load/clock.ts";
import { serve } from "./machine/remote.ts";

/** Where contenders deliver to: a process of its own that knows by itself what came, and how often. */
export type Receiver = {
  listen(): Promise<{ port: number }>;
  /** How many of the calls numbered from `first` have come at least once. */
  progress(input: { first: number; count: number }): { arrived: number };
  /** When each of these calls first came (NaN: never), and how many deliveries repeated one. */
  take(input: { first: number; count: number }): { arrivedMs: Float64Array; repeats: number; repeatedIds: number };
};

let arrivedMs = new Float64Array(1 << 20).fill(Number.NaN);
let times = new Uint8Array(1 << 20);
const ids = new Set<string>();
let repeatedIds = 0;

const handlers: Receiver = {
  listen: () =>
    new Promise((resolve) => {
      const server = createServer({ noDelay: true }, read);
      server.listen(0, "127.0.0.1", () => resolve({ port: (server.address() as AddressInfo).port }));
    }),
  progress({ first, count }) {
    let arrived = 0;
    for (let number = first; number < first + count; number++) if ((times[number] ?? 0) > 0) arrived++;
    return { arrived };
  },
  take({ first, count }) {
    let repeats = 0;
    for (const each of times.subarray(first, first + count)) repeats += Math.max(0, each - 1);
    const taken = { arrivedMs: arrivedMs.slice(first, first + count), repeats, repeatedIds };
    ids.clear();
    repeatedIds = 0;
    return taken;
  },
};
serve(handlers);

/** Requests with a Content-Length, one after the other. */
function read(socket: Socket): void {
  let pending: Buffer = Buffer.alloc(0);
  let needed = 0;
  let parts: Buffer[] = [];
  let size = 0;
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    parts.push(chunk);
    size += chunk.length;
    if (size < needed) return;
    pending = parts.length === 1 ? chunk : Buffer.concat(parts);
    for (;;) {
      const headEnd = pending.indexOf("\r\n\r\n");
      const head = headEnd < 0 ? "" : pending.toString("latin1", 0, headEnd);
      const end = headEnd < 0 ? 1 : headEnd + 4 + contentLength(head);
      if (headEnd < 0 || pending.length < end) {
        parts = pending.length > 0 ? [pending] : [];
        size = pending.length;
        needed = pending.length > 0 ? end : 0;
        return;
      }
      note(head, pending.subarray(headEnd + 4, end));
      socket.write(answer);
      pending = pending.subarray(end);
    }
  });
}

const answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

function contentLength(head: string): number {
  const length = /content-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`The receiver needs a Content-Length:\n${head}`);
  return Number(length);
}

function note(head: string, body: Buffer): void {
  const id = /webhook-id: *(\S+)/i.exec(head)?.[1] ?? "";
  if (ids.has(id)) repeatedIds++;
  else ids.add(id);
  const at = body.indexOf(callMark) + callMark.length;
  const number = Number(body.toString("latin1", at, at + callDigits));
  if (!Number.isInteger(number)) throw new Error("A delivery that names no call");
  while (number >= times.length) grow();
  times[number] = (times[number] ?? 0) + 1;
  if (Number.isNaN(arrivedMs[number])) arrivedMs[number] = nowMs();
}

function grow(): void {
  const [oldArrived, oldTimes] = [arrivedMs, times];
  arrivedMs = new Float64Array(oldArrived.length * 2).fill(Number.NaN);
  arrivedMs.set(oldArrived);
  times = new Uint8Array(oldTimes.length * 2);
  times.set(oldTimes);
}
