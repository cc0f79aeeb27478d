import { connect, type Socket } from "node:net";

/** One HTTP/1.1 connection that carries one request at a time. */
export type Connection = {
  /** Calls back with the status, or 0 when the connection broke. */
  send(parts: readonly Buffer[], done: (status: number) => void): void;
  close(): void;
};

/**
 * A client that does only what a load generator needs, because what it spends the contenders do not have: no header objects,
 * no body, no promises. Opens at the first request and again when it broke. Answers must have a Content-Length.
 */
export function openConnection(port: number): Connection {
  let waiting: ((status: number) => void) | null = null;
  let pending: Buffer | null = null;
  let socket: Socket | null = null;

  return {
    send(parts, done) {
      waiting = done;
      socket ??= open();
      socket.cork();
      for (const part of parts) socket.write(part);
      socket.uncork();
    },
    close() {
      socket?.destroy();
    },
  };

  function open(): Socket {
    const opened = connect({ port, host: "127.0.0.1", noDelay: true });
    opened.on("data", (chunk: Buffer) => {
      const bytes = pending ? Buffer.concat([pending, chunk]) : chunk;
      const status = statusOfWhole(bytes);
      pending = status === null ? bytes : null;
      if (status !== null) finish(status);
    });
    opened.on("error", () => {});
    opened.on("close", () => {
      socket = null;
      pending = null;
      finish(0);
    });
    return opened;
  }

  function finish(status: number): void {
    const done = waiting;
    waiting = null;
    done?.(status);
  }
}

/** The status once the whole answer is there; null before. */
function statusOfWhole(bytes: Buffer): number | null {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return null;
  const head = bytes.toString("latin1", 0, headEnd);
  const length = /content-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`The load generator needs a Content-Length:\n${head}`);
  if (bytes.length < headEnd + 4 + Number(length)) return null;
  return Number(head.slice(9, 12));
}
