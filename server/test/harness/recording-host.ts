import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type RecordingHost = {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly requests: readonly IncomingMessage[];
  /** What it does with a request, from now on. */
  serve(answer: (request: IncomingMessage, response: ServerResponse) => void): void;
  close(): Promise<void>;
};

/** A real HTTP server that plays a provider's store of recordings, well or badly. */
export async function startRecordingHost(address = "127.0.0.1"): Promise<RecordingHost> {
  const requests: IncomingMessage[] = [];
  let answer = (_request: IncomingMessage, response: ServerResponse): void => void response.writeHead(404).end();
  const server = createServer((request, response) => {
    requests.push(request);
    response.on("error", () => {});
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}`,
    requests,
    serve(next) {
      answer = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
