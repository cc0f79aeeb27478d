import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

import { problems, type ProblemCode } from "@aftercall/contract/problem.ts";

import { Malformed } from "#/kernel/errors.ts";

/** HTTP/1.1 has exactly one Host (RFC 9112 §3.2); Node accepts two, and then proxy and server may disagree on which. */
export function hostProblem(raw: IncomingMessage): Malformed | null {
  const count = countHeader(raw.rawHeaders, "host");
  if (count === 1 || (count === 0 && raw.httpVersion === "1.0")) return null;
  return new Malformed("Send exactly one Host header", "bad_request");
}

/** The caller's own id for a request, when it is safe to log. */
export function requestIdOf(raw: IncomingMessage): string | null {
  const id = raw.headers["x-request-id"];
  return typeof id === "string" && /^[A-Za-z0-9._-]{8,128}$/.test(id) ? id : null;
}

/** Path and query as received, for a request line in absolute form too. */
export function targetOf(raw: IncomingMessage): string {
  const target = raw.url ?? "/";
  return target.startsWith("/") ? target : target.replace(/^https?:\/\/[^/?#]*/i, "") || "/";
}

/** The path without its query. */
export function pathOf(raw: IncomingMessage): string {
  const target = targetOf(raw);
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}

/** Every header with all its values in the order they came, names in lower case. */
export function headersOf(raw: IncomingMessage): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (let i = 0; i + 1 < raw.rawHeaders.length; i += 2) {
    const name = (raw.rawHeaders[i] ?? "").toLowerCase();
    const value = raw.rawHeaders[i + 1] ?? "";
    const values = headers.get(name);
    if (values) values.push(value);
    else headers.set(name, [value]);
  }
  return headers;
}

const patient = Symbol("patient");

/** Lets a request take longer than others for its body: a file that is read as it comes. Silence still ends it. */
export function haveTime(raw: IncomingMessage): void {
  Object.assign(raw.socket, { [patient]: true });
}

/** Answers what Node's parser refuses before there is a request: broken framing, headers too large, too slow. */
export function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT" && patient in socket) return;
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) return void socket.destroy();
  const code = connectionCodes.get(error.code ?? "") ?? "bad_request";
  const { status, title } = problems[code];
  const body = JSON.stringify({ type: "about:blank", title, status, code });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

const connectionCodes: ReadonlyMap<string, ProblemCode> = new Map([
  ["ERR_HTTP_REQUEST_TIMEOUT", "request_timeout"],
  ["HPE_HEADER_OVERFLOW", "headers_too_large"],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", "too_large"],
]);

function countHeader(rawHeaders: readonly string[], name: string): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const header = rawHeaders[i] ?? "";
    if (header.length === name.length && header.toLowerCase() === name) count++;
  }
  return count;
}
