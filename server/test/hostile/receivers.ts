import { type AddressInfo, createServer, type Socket } from "node:net";

import { startTlsReceiver } from "../harness/tls-receiver.ts";

/** A receiver of webhooks that is broken or means harm. */
export type HostileReceiver = {
  readonly url: string;
  close(): Promise<void>;
};

/** Everything that a hostile receiver does; `victim` is an address that nobody may reach through us. */
export const hostileReceivers: Readonly<Record<string, (victim: string) => Promise<HostileReceiver>>> = {
  // A name that is public when it is registered and means this machine when it is dialled: the resolver of the test says so.
  rebind: async (victim) => ({ url: victim.replace("127.0.0.1", "rebind.example"), close: async () => {} }),
  "redirect-private": (victim) =>
    answering((socket) =>
      socket.end(`HTTP/1.1 307 Temporary Redirect\r\nlocation: ${victim}\r\ncontent-length: 0\r\n\r\n`),
    ),
  drip: () => answering((socket) => every(200, socket, "x", "HTTP/1.1 200 OK\r\n\r\n")),
  "header-drip": () => answering((socket) => every(200, socket, "x", "HTTP/1.1 200 OK\r\nx-slow: ")),
  "big-body": () =>
    answering((socket) => {
      const piece = Buffer.alloc(1_000_000, "x");
      let left = 200;
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${left * piece.length}\r\n\r\n`);
      const more = () => {
        while (left-- > 0) if (!socket.write(piece)) return;
        socket.end();
      };
      socket.on("drain", more);
      more();
    }),
  "header-bomb": () => answering((socket) => socket.end(`HTTP/1.1 200 OK\r\nx-bomb: ${"x".repeat(200_000)}\r\n\r\n`)),
  "retry-after-junk": () => {
    const junk = ["99999999999", "-1", "junk"];
    return answering((socket) => {
      const value = junk.shift() ?? "";
      junk.push(value);
      socket.end(`HTTP/1.1 503 Service Unavailable\r\nretry-after: ${value}\r\ncontent-length: 0\r\n\r\n`);
    });
  },
  gone: () => answering((socket) => socket.end("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n")),
  "rst-after-headers": () =>
    answering((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nthe begin", () => socket.resetAndDestroy());
    }),
  "self-signed": () => startTlsReceiver(),
  tarpit: () => answering(() => {}),
};

/** Waits for the end of the head of a request, then does what it does. */
async function answering(answer: (socket: Socket) => void): Promise<HostileReceiver> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.once("data", () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", 2_000, resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Writes a beginning, and then one piece after the other for ever. */
function every(ms: number, socket: Socket, piece: string, beginning: string): void {
  socket.write(beginning);
  const timer = setInterval(() => socket.write(piece), ms);
  socket.on("close", () => clearInterval(timer));
}
