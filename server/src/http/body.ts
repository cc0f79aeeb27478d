import type { IncomingMessage } from "node:http";

import { AppError, Malformed } from "#/kernel/errors.ts";

/**
 * The exact bytes of a request. Refuses by Content-Length before reading, and while reading as soon as one byte too many
 * has come, so a large body is never held.
 */
export function readBody(payload: IncomingMessage, bytesMax: number): Promise<Buffer> {
  if (Number(payload.headers["content-length"] ?? 0) > bytesMax) return Promise.reject(new TooLarge(bytesMax));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > bytesMax) return settle(() => reject(new TooLarge(bytesMax)));
      chunks.push(chunk);
    };
    // Concatenating copies, so the bytes are never a view over a buffer that the socket writes again.
    const onEnd = () => settle(() => resolve(Buffer.concat(chunks, size)));
    const onError = () => settle(() => reject(new Malformed("The body ended early", "bad_request")));
    const settle = (finish: () => void) => {
      payload.off("data", onData).off("end", onEnd).off("error", onError).off("aborted", onError);
      finish();
    };
    payload.on("data", onData).on("end", onEnd).on("error", onError).on("aborted", onError);
  });
}

export class TooLarge extends AppError {
  constructor(bytesMax: number) {
    super(413, "too_large", `The body is larger than ${bytesMax} bytes`);
  }
}

export class UnsupportedMedia extends AppError {
  constructor(message: string) {
    super(415, "unsupported_media_type", message);
  }
}

/**
 * Refuses what may not be read, before a byte of it is: a Content-Encoding (a kilobyte could unpack to gigabytes, and a
 * signature is over the bytes as sent), a content type that the route does not take, a charset other than UTF-8.
 */
export function checkContent(headers: IncomingMessage["headers"], accepts: readonly ("json" | "form")[]): void {
  const encoding = headers["content-encoding"]?.trim().toLowerCase() ?? "";
  if (encoding !== "" && encoding !== "identity") throw new UnsupportedMedia("Send the body without Content-Encoding");
  const type = headers["content-type"];
  if (type === undefined) {
    if (!hasBody(headers)) return;
    throw new UnsupportedMedia("Content-Type is missing");
  }
  const kind = contentKind(type);
  if (kind === null || !accepts.includes(kind))
    throw new UnsupportedMedia(`Content-Type must be ${accepts.map(nameOf).join(" or ")}`);
}

/** What a content type says the body is; null for what nothing here reads. */
export function contentKind(contentType: string): "json" | "form" | null {
  const [essence = "", ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice("charset=".length);
  if (charset !== undefined && !["utf-8", "utf8", "us-ascii", '"utf-8"'].includes(charset)) return null;
  if (essence === "application/x-www-form-urlencoded") return "form";
  if (essence === "application/json" || /^application\/[a-z0-9!#$&^_.-]+\+json$/.test(essence)) return "json";
  return null;
}

export function hasBody(headers: IncomingMessage["headers"]): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function nameOf(kind: "json" | "form"): string {
  return kind === "json" ? "application/json" : "application/x-www-form-urlencoded";
}
