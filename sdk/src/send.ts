import { authorization, type Connection } from "./connection.ts";
import { AftercallError, errorOf } from "./error.ts";
import { type Lines, objectsIn } from "./lines.ts";

export type RequestOptions = {
  /** Gives the request up; what it throws then is the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Of a POST. One is made for each request; give your own to go on with a request after a restart. */
  readonly idempotencyKey?: string;
  /** Instead of the client's own. */
  readonly timeoutMs?: number;
};

export type Request = {
  readonly method: string;
  /** With its parameters filled in. */
  readonly path: string;
  readonly query?: object | undefined;
  readonly body?: unknown;
  /** A file instead of a body. */
  readonly lines?: Lines | undefined;
};

/**
 * Sends a request and reads its answer. What is safe to repeat is repeated after 429, 503 and no answer at all: requests
 * that change nothing or name what they make the case, and POSTs, since their `Idempotency-Key` stays the same.
 * @throws AftercallError when it was refused or not answered
 */
export async function send(connection: Connection, request: Request, options: RequestOptions = {}): Promise<unknown> {
  // A file takes as long as it takes.
  const timeoutMs = options.timeoutMs ?? (request.lines ? undefined : connection.timeoutMs);
  return ask(connection, request, { ...options, timeoutMs }, async (answer) => {
    const text = await answer.text();
    if (text === "") return null;
    if (!/json/.test(answer.headers.get("content-type") ?? "")) return text;
    try {
      return JSON.parse(text);
    } catch (cause) {
      const { status } = answer;
      throw new AftercallError({ status, code: "not_a_problem", detail: "The answer is not JSON", cause });
    }
  });
}

/** The same for an answer with an object on each line, which are given as they come. */
export async function* sendForLines(
  connection: Connection,
  request: Request,
  options: AskOptions = {},
): AsyncGenerator<unknown, void, undefined> {
  const answer = await ask(connection, request, options, async (one) => one);
  try {
    yield* objectsIn(answer);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  }
}

type AskOptions = Omit<RequestOptions, "timeoutMs"> & { readonly timeoutMs?: number | undefined };

async function ask<T>(
  connection: Connection,
  request: Request,
  options: AskOptions,
  read: (answer: Response) => Promise<T>,
): Promise<T> {
  const { method, lines } = request;
  const isRepeatable = method !== "PATCH" && !(lines instanceof ReadableStream);
  const headers: Record<string, string> = {};
  if (request.body !== undefined) headers["content-type"] = "application/json";
  if (lines !== undefined) headers["content-type"] = "application/x-ndjson";
  if (method === "POST") headers["idempotency-key"] = options.idempotencyKey ?? newKey();
  for (let tries = 0; ; tries++) {
    try {
      return await attempt(connection, request, headers, options, read);
    } catch (error) {
      options.signal?.throwIfAborted();
      const waitMs = isRepeatable && tries < connection.retriesMax ? waitBefore(error, tries) : null;
      if (waitMs === null || waitMs > connection.waitMsMax) throw error;
      await connection.sleep(waitMs, options.signal);
    }
  }
}

async function attempt<T>(
  connection: Connection,
  { method, path, query, body, lines }: Request,
  headers: Record<string, string>,
  { signal, timeoutMs }: AskOptions,
  read: (answer: Response) => Promise<T>,
): Promise<T> {
  const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const init = {
    method,
    headers: { ...headers, ...(await authorization(connection)) },
    signal: AbortSignal.any([signal, timeout].filter((one) => one !== undefined)),
    body: lines ?? (body === undefined ? null : JSON.stringify(body)),
    // Without it no stream is sent.
    duplex: "half",
  };
  try {
    const answer = await connection.fetch(connection.baseUrl + path + queryOf(query), init);
    if (!answer.ok) throw errorOf(answer, await answer.text());
    return await read(answer);
  } catch (cause) {
    if (cause instanceof AftercallError) throw cause;
    const [code, detail] = timeout?.aborted
      ? ["timeout", `No answer within ${timeoutMs} ms`]
      : ["network", `No answer: ${cause instanceof Error ? cause.message : String(cause)}`];
    throw new AftercallError({ status: 0, code, detail, cause });
  }
}

/** Milliseconds until the next try; null: another one would not help, or could do it twice. */
function waitBefore(error: unknown, tries: number): number | null {
  if (!(error instanceof AftercallError)) return null;
  const { status, code, retryAfterSeconds } = error;
  const isPassing = status === 429 || status === 503 || code === "network" || code === "idempotency_key_in_use";
  if (!isPassing) return null;
  // Half of it by chance, so that clients that failed together do not come back together.
  if (retryAfterSeconds === null) return 250 * 2 ** tries * (0.5 + Math.random() / 2);
  return retryAfterSeconds * 1000;
}

/** `?status=ended,failed&limit=50`, or nothing. */
function queryOf(query: object | undefined): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text === "" ? "" : `?${text}`;
}

/** 128 random bits. Not `randomUUID`, which browsers keep from pages without TLS. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
