import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";

/** A file of `test/fixtures/tls`, PEM. */
export function pem(name: string): string {
  return readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), "utf8");
}

export type TlsReceiver = {
  readonly url: string;
  readonly port: number;
  /** For each request: whose certificate the client showed (`CN`), or null; and the name it asked for (SNI). */
  readonly seen: readonly { readonly client: string | null; readonly servername: string | null }[];
  close(): Promise<void>;
};

/** A real HTTPS server on loopback with the certificate of the tests. */
export async function startTlsReceiver(options: { asksForCertificate?: boolean } = {}): Promise<TlsReceiver> {
  const seen: { client: string | null; servername: string | null }[] = [];
  const asks = options.asksForCertificate === true;
  const server = createServer(
    { cert: pem("server.pem"), key: pem("server.key"), ca: pem("ca.pem"), requestCert: asks, rejectUnauthorized: asks },
    (request, response) => {
      const socket = request.socket as TLSSocket;
      const { subject } = socket.getPeerCertificate();
      seen.push({ client: asks ? String(subject.CN) : null, servername: socket.servername || null });
      request.resume().on("end", () => response.end("thanks"));
    },
  );
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}/`,
    port,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
