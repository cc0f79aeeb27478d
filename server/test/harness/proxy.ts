import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

export type TestProxy = {
  readonly url: string;
  /** What it was asked to connect to, with the credentials it was shown. */
  readonly asked: readonly { readonly target: string; readonly authorization: string | null }[];
  /** The status of CONNECT from now on; starts as 200. */
  answer(status: number): void;
  close(): Promise<void>;
};

/** A real forward proxy on loopback. Whatever it is asked for, it connects to loopback at that port. */
export async function startProxy(): Promise<TestProxy> {
  const asked: { target: string; authorization: string | null }[] = [];
  const sockets = new Set<Socket>();
  let status = 200;
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on("connect", (request, client: Socket) => {
    const target = request.url ?? "";
    asked.push({ target, authorization: request.headers["proxy-authorization"] ?? null });
    sockets.add(client);
    client.on("error", () => client.destroy());
    if (status !== 200) return client.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const port = Number(target.slice(target.lastIndexOf(":") + 1));
    const far = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      far.pipe(client).pipe(far);
    });
    sockets.add(far);
    far.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer(next) {
      status = next;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
