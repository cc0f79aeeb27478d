import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What arrived at a test's server. */
export type Arrived = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
};

export type Scripted = {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** An object is sent as JSON. */
  readonly body?: object | string;
};

export type TestServer = {
  readonly url: string;
  readonly arrived: readonly Arrived[];
  /** How the next request is answered, and the ones after it in their order; the last one goes on. */
  answer(...script: (Scripted | ((request: Arrived, response: ServerResponse) => void))[]): void;
  close(): Promise<void>;
};

/** A real HTTP server that answers as it is told. Pages of other origins may ask it too. */
export async function startTestServer(): Promise<TestServer> {
  const arrived: Arrived[] = [];
  let script: Parameters<TestServer["answer"]> = [{}];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      response
        .setHeader("access-control-allow-origin", "*")
        .setHeader("access-control-allow-headers", "*, authorization");
      if (method === "OPTIONS") return response.writeHead(204).end();
      const seen = { method, url, headers, body: Buffer.concat(chunks).toString() };
      arrived.push(seen);
      const next = script.length > 1 ? script.shift() : script[0];
      if (typeof next === "function") return next(seen, response);
      const { status = 200, body = {} } = next ?? {};
      const type = typeof body === "string" ? "text/plain" : "application/json";
      response.writeHead(status, { "content-type": type, ...next?.headers });
      return response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    answer(...next) {
      script = next;
      arrived.length = 0;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
