import { type AddressInfo, createServer } from "node:net";

import { nowMs } from "../load/clock.ts";
import { ok, readRequests } from "../load/requests.ts";
import { serve } from "../machine/remote.ts";

/**
 * All receivers in one process. Every address of 127.0.0.0/8 is an origin of its own; a path that begins with `/hang` is never
 * answered. What came is known by its `webhook-id`.
 */
export type Receiver = {
  listen(): Promise<{ port: number }>;
  /** Forgets what came. */
  clear(): void;
  /** Different messages and paths that came, and how many came more than once. */
  progress(): { arrived: number; repeats: number };
  /** What came, in the order in which it first did. */
  take(): { keys: string[]; atMs: Float64Array };
};

let seen = new Map<string, number>();
let repeats = 0;

const handlers: Receiver = {
  listen: () =>
    new Promise((resolve) => {
      const server = createServer({ noDelay: true }, (socket) => readRequests(socket, note));
      server.listen(0, "0.0.0.0", 4_000, () => resolve({ port: (server.address() as AddressInfo).port }));
    }),
  clear() {
    seen = new Map();
    repeats = 0;
  },
  progress: () => ({ arrived: seen.size, repeats }),
  take: () => ({ keys: [...seen.keys()], atMs: Float64Array.from(seen.values()) }),
};
serve(handlers);

function note(head: string): string | null {
  const path = head.slice(head.indexOf(" ") + 1, head.indexOf(" HTTP/1.1"));
  if (path.startsWith("/hang")) return null;
  const from = head.indexOf("webhook-id: ") + "webhook-id: ".length;
  const end = head.indexOf("\r\n", from);
  const key = `${path} ${head.slice(from, end < 0 ? undefined : end)}`;
  if (seen.has(key)) repeats++;
  else seen.set(key, nowMs());
  return ok;
}
