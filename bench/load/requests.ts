import type { Socket } from "node:net";

/**
 * Reads requests with a Content-Length from a connection, one after the other, and writes the answer that `answer` gives for
 * each; null: none, ever. A receiver that parses no more than it must leaves the processor to those that are measured.
 */
export function readRequests(socket: Socket, answer: (head: string, body: Buffer) => string | null): void {
  let pending: Buffer = Buffer.alloc(0);
  let needed = 0;
  let parts: Buffer[] = [];
  let size = 0;
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    parts.push(chunk);
    size += chunk.length;
    if (size < needed) return;
    pending = parts.length === 1 ? chunk : Buffer.concat(parts);
    for (;;) {
      const headEnd = pending.indexOf("\r\n\r\n");
      const head = headEnd < 0 ? "" : pending.toString("latin1", 0, headEnd);
      const end = headEnd < 0 ? 1 : headEnd + 4 + contentLength(head);
      if (headEnd < 0 || pending.length < end) {
        parts = pending.length > 0 ? [pending] : [];
        size = pending.length;
        needed = pending.length > 0 ? end : 0;
        return;
      }
      const answered = answer(head, pending.subarray(headEnd + 4, end));
      if (answered !== null) socket.write(answered);
      pending = pending.subarray(end);
    }
  });
}

export const ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

function contentLength(head: string): number {
  const length = /content-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`The receiver needs a Content-Length:\n${head}`);
  return Number(length);
}
