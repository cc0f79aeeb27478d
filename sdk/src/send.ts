import { authorization, type Connection } from "./connection.ts";
import { AftercallError, errorOf } from "./error.ts";

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
};

/**
 * Sends a request and reads its answer. What is safe to repeat is repeated after 429, 503 and no answer at all: requests
 * that change nothing or name what they make the case, and POSTs, since their `Idempotency-Key` stays the same.
 * @throws AftercallError when it was refused or not answered
 */
export async function send(connection: Connection, request: Request, options: RequestOptions = {}): Promise<unknown> {
  const { method } = request;
  const isRepeatable = method !== "PATCH";
  const headers: Record<string, string> = { accept: "application/json, */*;q=0.5" };
  if (request.body !== undefined) headers["content-type"] = "application/json";
  if (method === "POST") headers["idempotency-key"] = options.idempotencyKey ?? newKey();
  for (let tries = 0; ; tries++) {
    try {
      return await attempt(connection, request, headers, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      const waitMs = isRepeatable && tries < connection.retriesMax ? waitBefore(error, tries) : null;
      if (waitMs === null || waitMs > connection.waitMsMax) throw error;
      await connection.sleep(waitMs, options.signal);
    }
  }
}

async function attempt(
  connection: Connection,
  { method, path, query, body }: Request,
  headers: Record<string, string>,
  options: RequestOptions,
): Promise<unknown> {
  const timeoutMs = options.timeoutMs ?? connection.timeoutMs;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  const init: RequestInit = { method, headers: { ...headers, ...(await authorization(connection)) }, signal };
  if (body !== undefined) init.body = JSON.stringify(body);
  let answer: Response;
  let text: string;
  try {
    answer = await connection.fetch(connection.baseUrl + path + queryOf(query), init);
    text = await answer.text();
  } catch (cause) {
    const [code, detail] = timeout.aborted
      ? ["timeout", `No answer within ${timeoutMs} ms`]
      : ["network", `No answer: ${cause instanceof Error ? cause.message : String(cause)}`];
    throw new AftercallError({ status: 0, code, detail, cause });
  }
  if (!answer.ok) throw errorOf(answer, text);
  if (text === "") return null;
  if (!/json/.test(answer.headers.get("content-type") ?? "")) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AftercallError({ status: answer.status, code: "not_a_problem", detail: "The answer is not JSON", cause });
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
