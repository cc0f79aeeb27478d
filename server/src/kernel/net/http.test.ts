import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from "node:net";
import { Readable } from "node:stream";

import { afterEach, expect, test } from "vitest";

import { systemClock } from "../clock.ts";
import type { HttpFailure } from "./failure.ts";
import { createGuardedHttp, type GuardedHttp, type GuardedHttpOptions, type HttpRequest } from "./http.ts";

const toClose: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(toClose.splice(0).map((close) => close()));
});

function client(options: Partial<GuardedHttpOptions> = {}): GuardedHttp {
  const http = createGuardedHttp({ privateTargets: ["127.0.0.0/8"], allowHttp: true, clock: systemClock, ...options });
  toClose.push(() => http.close());
  return http;
}

async function portOf(server: Server | TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** A receiver over HTTP, and the requests it saw. */
async function receiver(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    request.resume().on("end", () => answer(request, response));
  });
  const port = await portOf(server);
  toClose.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { port, seen, url: `http://127.0.0.1:${port}/hook`, server };
}

/** A receiver that speaks bytes. */
async function rawReceiver(onConnection: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    onConnection(socket);
  });
  const port = await portOf(server);
  toClose.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}/`, sockets };
}

/** Sends `start`, then a few bytes at a time until the other side has enough. */
function drip(socket: Socket, start: string, piece: string) {
  socket.write(start);
  const timer = setInterval(() => socket.write(piece), 20);
  socket.on("close", () => clearInterval(timer));
}

function post(url: string, more: Partial<HttpRequest> = {}): HttpRequest {
  const body = Buffer.from('{"a":1}');
  const headers = { "content-type": "application/json" };
  return { url, method: "POST", headers, body, timeoutMs: 5_000, responseBytesMax: 65_536, ...more };
}

const failureOfRequest = (http: GuardedHttp, request: HttpRequest) =>
  http.request(request).then(
    () => "answered",
    (error: HttpFailure) => error.failure,
  );

test("a request arrives with its bytes, and the answer comes back with its own", async () => {
  const { url, seen } = await receiver((_request, response) => {
    response.writeHead(201, { "x-a": "b" }).end("thanks");
  });
  const answer = await client().request(post(url));
  expect(answer).toMatchObject({ status: 201, isTruncated: false, body: Buffer.from("thanks") });
  expect(answer.headers["x-a"]).toBe("b");
  expect(seen[0]).toMatchObject({ method: "POST", url: "/hook", headers: { "content-length": "7" } });
});

test("a body that is a stream arrives whole, with the length that was announced", async () => {
  const chunks = Array.from({ length: 64 }, (_, i) => Buffer.alloc(65_536, i));
  let arrived = 0;
  const server = createServer((request, response) => {
    request.on("data", (chunk: Buffer) => (arrived += chunk.length));
    request.on("end", () => response.end(request.headers["content-length"]));
  });
  const port = await portOf(server);
  toClose.push(async () => server.closeAllConnections());
  toClose.push(async () => server.close());
  const length = String(64 * 65_536);
  const http = client();
  const send = () =>
    http.request(
      post(`http://127.0.0.1:${port}/`, { headers: { "content-length": length }, body: () => Readable.from(chunks) }),
    );
  expect((await send()).body.toString()).toBe(length);
  expect((await send()).body.toString()).toBe(length);
  expect(arrived).toBe(2 * 64 * 65_536);
});

test("loopback is out of reach unless the operator opened it", async () => {
  const { url, port, seen } = await receiver((_request, response) => response.end());
  const closed = client({ privateTargets: [], resolver: async () => ["127.0.0.1"] });
  expect(await failureOfRequest(closed, post(url))).toBe("blocked_target");
  expect(await failureOfRequest(closed, post(`http://hooks.example.com:${port}/`))).toBe("blocked_target");
  expect(seen).toHaveLength(0);
});

test("a name with one address that is not allowed is refused as a whole", async () => {
  const { port, seen } = await receiver((_request, response) => response.end());
  const http = client({ resolver: async () => ["127.0.0.1", "10.0.0.1"] });
  expect(await failureOfRequest(http, post(`http://hooks.example.com:${port}/`))).toBe("blocked_target");
  expect(seen).toHaveLength(0);
});

test("a name that turns to a private address later is refused at the connection", async () => {
  const { port, seen, server } = await receiver((_request, response) => {
    response.setHeader("connection", "close").end();
  });
  let address = "127.0.0.1";
  const http = client({ resolver: async () => [address] });
  expect((await http.request(post(`http://rebind.example.com:${port}/`))).status).toBe(200);
  address = "169.254.169.254";
  server.closeAllConnections();
  expect(await failureOfRequest(http, post(`http://rebind.example.com:${port}/`))).toBe("blocked_target");
  expect(seen).toHaveLength(1);
});

test("Host keeps the name while the vetted address is dialled", async () => {
  const { port, seen } = await receiver((_request, response) => response.end());
  await client({ resolver: async () => ["127.0.0.1"] }).request(post(`http://hooks.example.com:${port}/`));
  expect(seen[0]?.headers.host).toBe(`hooks.example.com:${port}`);
});

test("a redirect is an answer and its target sees no request", async () => {
  const { url, seen } = await receiver((_request, response) => {
    response.writeHead(307, { location: "/elsewhere" }).end();
  });
  expect((await client().request(post(url))).status).toBe(307);
  expect(seen.map((request) => request.url)).toEqual(["/hook"]);
});

test("a long answer is cut where we stop keeping it, and its status stands", async () => {
  const { url } = await receiver((_request, response) => {
    response.writeHead(200);
    const chunk = Buffer.alloc(64 * 1024, "x");
    const pump = () => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on("drain", pump);
    pump();
  });
  const answer = await client().request(post(url, { responseBytesMax: 1_000 }));
  expect(answer).toMatchObject({ status: 200, isTruncated: true });
  expect(answer.body).toHaveLength(1_000);
});

test("a receiver that never answers costs the time limit and no more", async () => {
  const { url } = await rawReceiver(() => {});
  const startedAt = performance.now();
  expect(await failureOfRequest(client(), post(url, { timeoutMs: 200 }))).toBe("timeout");
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});

test("headers that drip do not stretch the time limit", async () => {
  const { url } = await rawReceiver((socket) => {
    socket.once("data", () => drip(socket, "HTTP/1.1 200 OK\r\n", "x-drip: 1\r\n"));
  });
  expect(await failureOfRequest(client(), post(url, { timeoutMs: 200 }))).toBe("timeout");
});

test("a body that drips ends at the time limit, and the status that came stands", async () => {
  const { url } = await rawReceiver((socket) => {
    socket.once("data", () => drip(socket, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\nx\r\n"));
  });
  expect(await client().request(post(url, { timeoutMs: 200 }))).toMatchObject({ status: 200, isTruncated: true });
});

test("a body that breaks off leaves the status standing", async () => {
  const { url } = await rawReceiver((socket) => {
    const start = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nabc";
    socket.once("data", () => socket.write(start, () => setImmediate(() => socket.resetAndDestroy())));
  });
  expect(await client().request(post(url))).toMatchObject({ status: 200, isTruncated: true });
});

test("200 kB of headers are refused", async () => {
  const { url } = await rawReceiver((socket) => {
    socket.once("data", () => socket.write(`HTTP/1.1 200 OK\r\nx-bomb: ${"a".repeat(200_000)}\r\n\r\n`));
  });
  expect(await failureOfRequest(client(), post(url))).toBe("invalid_response");
});

test("what is not HTTP is an invalid response", async () => {
  const { url } = await rawReceiver((socket) =>
    socket.once("data", () => socket.write("220 mail.example.com ESMTP\r\n")),
  );
  expect(await failureOfRequest(client(), post(url))).toBe("invalid_response");
});

test("a connection that is reset before the answer is a reset, tried once", async () => {
  const { url, sockets } = await rawReceiver((socket) => socket.once("data", () => socket.resetAndDestroy()));
  expect(await failureOfRequest(client(), post(url))).toBe("reset");
  expect(sockets.size).toBe(1);
});

test("a kept-alive connection that the receiver closes when it is used again is replaced within the attempt", async () => {
  let requests = 0;
  const { url, sockets } = await rawReceiver((socket) => {
    socket.on("data", (bytes) => {
      if (!bytes.includes("POST /")) return;
      requests++;
      if (requests === 2) socket.resetAndDestroy();
      else socket.write("HTTP/1.1 204 No Content\r\n\r\n");
    });
  });
  const http = client();
  expect((await http.request(post(url))).status).toBe(204);
  // undici hands a connection out again one turn of the event loop later.
  await new Promise((resolve) => setImmediate(resolve));
  expect((await http.request(post(url))).status).toBe(204);
  expect(sockets.size).toBe(2);
  expect(requests).toBe(3);
});

test("a closed port is a failed connection", async () => {
  const server = createTcpServer();
  const port = await portOf(server);
  await new Promise((resolve) => server.close(resolve));
  expect(await failureOfRequest(client(), post(`http://127.0.0.1:${port}/`))).toBe("connect");
});

test("a name without an address is a DNS failure", async () => {
  const error = Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
  const resolver = () => Promise.reject(error);
  expect(await failureOfRequest(client({ resolver }), post("http://nowhere.example.com/"))).toBe("dns");
});

test("a server that does not speak TLS is a TLS failure", async () => {
  const { url } = await rawReceiver((socket) =>
    socket.once("data", () => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n")),
  );
  expect(await failureOfRequest(client(), post(url.replace("http:", "https:")))).toBe("tls");
});

test("an abort by this server is told apart from a failure of the receiver", async () => {
  const { url } = await rawReceiver(() => {});
  const stopping = new AbortController();
  const failure = failureOfRequest(client(), post(url, { signal: stopping.signal }));
  stopping.abort();
  expect(await failure).toBe("aborted");
});

test("requests that hang do not hold up others of the same origin", async () => {
  const { url } = await receiver((request, response) => {
    if (request.url === "/hook") response.end();
  });
  const http = client();
  const hanging = Array.from({ length: 20 }, () => failureOfRequest(http, post(`${url}/hang`, { timeoutMs: 1_000 })));
  const startedAt = performance.now();
  expect((await http.request(post(url))).status).toBe(200);
  expect(performance.now() - startedAt).toBeLessThan(500);
  expect(new Set(await Promise.all(hanging))).toEqual(new Set(["timeout"]));
});

test("what is open to one is closed to the next, also on a connection that is still there", async () => {
  const { url, seen } = await receiver((_request, response) => response.end());
  const http = client({ privateTargets: [] });
  const granted = { privateTargets: ["127.0.0.0/8"] };
  expect((await http.request(post(url, granted))).status).toBe(200);
  expect(await failureOfRequest(http, post(url))).toBe("blocked_target");
  expect(await failureOfRequest(http, post(url, { privateTargets: ["10.0.0.0/8"] }))).toBe("blocked_target");
  expect((await http.request(post(url, granted))).status).toBe(200);
  expect(seen).toHaveLength(2);
  expect(http.check("http://10.1.2.3/").ok).toBe(false);
  expect(http.check("http://10.1.2.3/", ["10.0.0.0/8"]).ok).toBe(true);
});

test.each(["http://169.254.169.254/", "http://100.100.100.200/", "http://[fd00:ec2::254]/"])(
  "%s stays closed, whatever is opened",
  async (url) => {
    const privateTargets = ["0.0.0.0/0", "::/0"];
    expect(client({ privateTargets: [] }).check(url, privateTargets).ok).toBe(false);
    expect(await failureOfRequest(client({ privateTargets: [] }), post(url, { privateTargets }))).toBe(
      "blocked_target",
    );
  },
);
