import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Received = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};

/** What the receiver does with a request. `hang` never answers; `reset` breaks the connection. */
export type Reply =
  | {
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
      readonly after?: Promise<unknown>;
    }
  | "hang"
  | "reset";

export type Receiver = {
  readonly url: string;
  /** Everything that came, oldest first. */
  readonly received: readonly Received[];
  /** Sets the answer from now on; a function decides for each request, counted from 1. Starts as 200. */
  answer(reply: Reply | ((request: Received, count: number) => Reply)): void;
  /** Resolves with the first `count` requests once they are there. */
  waitFor(count: number): Promise<readonly Received[]>;
  close(): Promise<void>;
};

/** A real HTTP server on loopback that somebody's webhooks are sent to. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  let decide = acceptAll;

  const server = createServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on("data", (chunk: Buffer) => chunks.push(chunk));
    message.on("end", () => {
      const request = {
        method: message.method ?? "",
        path: message.url ?? "",
        headers: message.headers,
        body: Buffer.concat(chunks),
      };
      received.push(request);
      for (const check of waiting) check();
      void send(response, decide(request, received.length));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    received,
    answer(reply) {
      decide = typeof reply === "function" ? reply : () => reply;
    },
    waitFor: (count) =>
      new Promise((resolve) => {
        const check = () => {
          if (received.length < count) return;
          waiting.delete(check);
          resolve(received.slice(0, count));
        };
        waiting.add(check);
        check();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function acceptAll(_request: Received, _count: number): Reply {
  return { status: 200 };
}

async function send(response: ServerResponse, reply: Reply): Promise<void> {
  if (reply === "hang") return;
  if (reply === "reset") {
    response.socket?.resetAndDestroy();
    return;
  }
  await reply.after;
  response.writeHead(reply.status, reply.headers).end(reply.body);
}
