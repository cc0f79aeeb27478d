import { type AddressInfo, createServer } from "node:net";

import { callDigits, callMark } from "./load/bodies.ts";
import { nowMs } from "./load/clock.ts";
import { ok, readRequests } from "./load/requests.ts";
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
      const server = createServer({ noDelay: true }, (socket) =>
        readRequests(socket, (head, body) => {
          note(head, body);
          return ok;
        }),
      );
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
