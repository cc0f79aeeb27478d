import type { Readable } from "node:stream";

import type { Agent } from "undici";

import { failureOf, HttpFailure } from "./failure.ts";

/** An answer whose body is read as it comes: for what is too large to hold. */
export type HttpDownload = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Fails with {@link HttpFailure} when it breaks off, or when the time of the request is over. Destroying it ends the connection. */
  readonly body: Readable;
};

export type DownloadRequest = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** From connecting to the last byte of the body. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** As in a request. */
  readonly privateTargets?: readonly string[];
};

/** GET by an agent that guards its connections. No redirect is followed, nothing is unpacked. @throws HttpFailure */
export async function download(agent: Agent, url: URL, input: DownloadRequest): Promise<HttpDownload> {
  const stopping = new AbortController();
  const timer = setTimeout(
    () => stopping.abort(new HttpFailure("timeout", `No complete answer within ${input.timeoutMs} ms`)),
    input.timeoutMs,
  );
  const onAbort = () => stopping.abort(new HttpFailure("aborted", "Stopped by this server"));
  input.signal?.addEventListener("abort", onAbort, { once: true });
  if (input.signal?.aborted) onAbort();
  const release = () => {
    clearTimeout(timer);
    input.signal?.removeEventListener("abort", onAbort);
  };
  try {
    const { statusCode, headers, body } = await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: "GET",
      headers: input.headers,
      signal: stopping.signal,
    });
    body.once("close", release);
    return { status: statusCode, headers, body };
  } catch (error) {
    release();
    throw failureOf(error);
  }
}
