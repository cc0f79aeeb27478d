import type { IncomingMessage } from "node:http";

import { AppError, Malformed, Unavailable } from "#/kernel/errors.ts";

/** What large bodies of one process may hold together while they are being received. */
export type BodyBudget = {
  /** Takes `bytes`; false: there are not that many left. */
  take(bytes: number): boolean;
  give(bytes: number): void;
};

/** A body up to this size costs the budget nothing, so that large ones can never shut small ones out. */
const freeBytes = 1_000_000;

/**
 * The exact bytes of a request. Refuses by Content-Length before reading, and while reading as soon as one byte too many
 * has come, so a body over the limit is never held.
 */
export function readBody(
  payload: IncomingMessage,
  { bytesMax, streamedBytesMax }: BodyLimits,
  budget: BodyBudget,
): Promise<Buffer | StreamedBody> {
  const most = streamedBytesMax ?? bytesMax;
  if (Number(payload.headers["content-length"] ?? 0) > most) return Promise.reject(new TooLarge(most));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let taken = 0;
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      const owed = Math.max(0, size - freeBytes) - taken;
      if (size > bytesMax && streamedBytesMax !== undefined) {
        chunks.push(chunk);
        payload.pause();
        return settle(() => resolve(new StreamedBody(chunks, payload, streamedBytesMax)));
      }
      if (size > bytesMax) return settle(() => reject(new TooLarge(bytesMax)));
      if (owed > 0 && !budget.take(owed))
        return settle(() => reject(new Unavailable("Too much is being received at once")));
      taken += owed;
      chunks.push(chunk);
    };
    // Concatenating copies, so the bytes are never a view over a buffer that the socket writes again.
    const onEnd = () => settle(() => resolve(Buffer.concat(chunks, size)));
    const onError = () => settle(() => reject(new Malformed("The body ended early", "bad_request")));
    const settle = (finish: () => void) => {
      budget.give(taken);
      payload.off("data", onData).off("end", onEnd).off("error", onError).off("aborted", onError);
      finish();
    };
    payload.on("data", onData).on("end", onEnd).on("error", onError).on("aborted", onError);
  });
}

export type BodyLimits = {
  readonly bytesMax: number;
  /** What is longer than `bytesMax` is handed over as a stream, up to this length; absent: it is refused. */
  readonly streamedBytesMax?: number;
};

/** A body that is too long to be held, from its first byte on; to be read once. */
export class StreamedBody {
  readonly #begun: readonly Buffer[];
  readonly #rest: IncomingMessage;
  readonly #bytesMax: number;
  constructor(begun: readonly Buffer[], rest: IncomingMessage, bytesMax: number) {
    this.#begun = begun;
    this.#rest = rest;
    this.#bytesMax = bytesMax;
  }

  /** @throws TooLarge, Malformed when it breaks off */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    let size = 0;
    for (const chunk of this.#begun) {
      size += chunk.length;
      if (size > this.#bytesMax) throw new TooLarge(this.#bytesMax);
      yield chunk;
    }
    try {
      for await (const chunk of this.#rest.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > this.#bytesMax) throw new TooLarge(this.#bytesMax);
        yield chunk;
      }
    } catch (error) {
      throw error instanceof AppError ? error : new Malformed("The body ended early", "bad_request");
    }
  }
}

export function createBodyBudget(bytesMax: number): BodyBudget {
  let left = bytesMax;
  return {
    take(bytes) {
      if (bytes > left) return false;
      left -= bytes;
      return true;
    },
    give(bytes) {
      left += bytes;
    },
  };
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
export function checkContent(headers: IncomingMessage["headers"], accepts: readonly ContentKind[]): void {
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

/** `ndjson`: lines of JSON, for files that are read as they come. */
export type ContentKind = "json" | "form" | "ndjson";

/** What a content type says the body is; null for what nothing here reads. */
export function contentKind(contentType: string): ContentKind | null {
  const [essence = "", ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice("charset=".length);
  if (charset !== undefined && !["utf-8", "utf8", "us-ascii", '"utf-8"'].includes(charset)) return null;
  if (essence === "application/x-www-form-urlencoded") return "form";
  if (essence === "application/x-ndjson" || essence === "application/jsonl") return "ndjson";
  if (essence === "application/json" || /^application\/[a-z0-9!#$&^_.-]+\+json$/.test(essence)) return "json";
  return null;
}

export function hasBody(headers: IncomingMessage["headers"]): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function nameOf(kind: ContentKind): string {
  return { json: "application/json", form: "application/x-www-form-urlencoded", ndjson: "application/x-ndjson" }[kind];
}
