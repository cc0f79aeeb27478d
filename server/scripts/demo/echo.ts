import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";

import type { CallAnalysis } from "@aftercall/contract/analysis/call-analysis.ts";

/** A message that reached the echo endpoint. */
export type Echoed = {
  readonly type: string;
  readonly callId: string | null;
  readonly isSigned: boolean;
  /** What was made of the call, where the message says it, and how many turns it has. */
  readonly analysis: CallAnalysis | null;
  readonly turns: number;
  /** Milliseconds of this process (`performance.now`). */
  readonly at: number;
};

export type Echo = {
  readonly url: string;
  /** From now on only what this secret signed counts as signed. */
  trust(secret: string): void;
  /** The first message of that type about that call; null when it has not come within `limitMs`. */
  waitFor(type: string, callId: string, limitMs: number): Promise<Echoed | null>;
  /** Everything that came about that call, in the order it came. */
  about(callId: string): readonly Echoed[];
  close(): void;
};

/** Somebody's webhook receiver, as the guide "send results to my server" tells to write one: check the signature, then answer 2xx. */
export async function startEcho(): Promise<Echo> {
  const received: Echoed[] = [];
  const watchers = new Set<() => void>();
  let key = Buffer.alloc(0);

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const isSigned = isSignedBy(key, request.headers, body);
      response.writeHead(isSigned ? 204 : 401).end();
      received.push({ ...readMessage(body), isSigned, at: performance.now() });
      for (const watcher of watchers) watcher();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;

  return {
    url: `http://127.0.0.1:${port}/echo`,
    trust(secret) {
      key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    },
    about: (callId) => received.filter((one) => one.callId === callId),
    waitFor: (type, callId, limitMs) =>
      new Promise((resolve) => {
        const finish = (found: Echoed | null) => {
          clearTimeout(timer);
          watchers.delete(look);
          resolve(found);
        };
        const look = () => {
          const found = received.find((one) => one.type === type && one.callId === callId && one.isSigned);
          if (found) finish(found);
        };
        const timer = setTimeout(() => finish(null), limitMs);
        watchers.add(look);
        look();
      }),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Standard Webhooks: `v1,` and the base64 HMAC-SHA256 over `id.timestamp.body`, several separated by spaces while a secret is rotated. */
function isSignedBy(key: Buffer, headers: IncomingHttpHeaders, body: Buffer): boolean {
  const [id, timestamp] = [String(headers["webhook-id"]), String(headers["webhook-timestamp"])];
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
  return String(headers["webhook-signature"])
    .split(" ")
    .map((signature) => Buffer.from(signature.replace(/^v1,/, ""), "base64"))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
}

function readMessage(body: Buffer): Pick<Echoed, "type" | "callId" | "analysis" | "turns"> {
  const { type, data } = JSON.parse(body.toString("utf8")) as {
    type: string;
    data: { call?: { id: string }; transcript?: { turns: unknown[] } | null; analysis?: CallAnalysis };
  };
  return {
    type,
    callId: data.call?.id ?? null,
    analysis: data.analysis ?? null,
    turns: data.transcript?.turns.length ?? 0,
  };
}
