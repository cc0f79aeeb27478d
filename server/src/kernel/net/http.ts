import type { Readable } from "node:stream";

import { Agent, type Dispatcher } from "undici";

import type { Clock } from "../clock.ts";
import { parseCidrs } from "./addresses.ts";
import { download, type DownloadRequest, type HttpDownload } from "./download.ts";
import { failureOf, HttpFailure } from "./failure.ts";
import {
  createGuardedConnector,
  type GuardOptions,
  type Resolver,
  type SocketErrors,
  systemResolver,
} from "./guard.ts";
import type { ForwardProxy } from "./proxy.ts";
import { createStops, type WhenAborted } from "./stops.ts";
import { checkTargetUrl, type TargetRules, type TargetVerdict } from "./target.ts";

/** HTTP to addresses that tenants, payloads or models name. The only other outbound client sends traces where the operator says. */
export interface GuardedHttp {
  /**
   * One request: no redirect is followed, nothing is unpacked. Throws {@link HttpFailure} when no status line came in time.
   * An answer whose body breaks off, is too long or takes too long still counts by its status: the body is what came until
   * then, and `isTruncated` says so.
   */
  request(input: HttpRequest): Promise<HttpAnswer>;
  /** A GET whose body is handed over as it comes. Throws {@link HttpFailure} when no status line came in time. */
  download(input: DownloadRequest): Promise<HttpDownload>;
  /** Judges a URL by its text, without resolving names. `privateTargets`: as in a request. */
  check(url: string, privateTargets?: readonly string[]): TargetVerdict;
  /** Ends idle connections at once and busy ones when they are done. */
  close(): Promise<void>;
}

export type HttpRequest = {
  readonly url: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE" | "OPTIONS";
  readonly headers: Readonly<Record<string, string>>;
  /** A stream is made by a function, once for each time that the request is written; give its `content-length`. */
  readonly body: Buffer | (() => Readable) | null;
  /** From connecting to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Bytes of the answer that are kept; the rest is not read. */
  readonly responseBytesMax: number;
  readonly signal?: AbortSignal;
  /** Shown to a server that asks for a client certificate. */
  readonly tls?: ClientTls;
  /** Blocks that the operator opened for whom this request is made, beside those that are open to all. */
  readonly privateTargets?: readonly string[];
};

/** A client certificate, its key, and what to trust instead of the system's authorities; all PEM. */
export type ClientTls = {
  /** The same for the same three: connections are shared under it. */
  readonly id: string;
  readonly certificate: string;
  readonly privateKey: string;
  readonly ca: string | null;
};

export type HttpAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly isTruncated: boolean;
  readonly durationMs: number;
};

export type GuardedHttpOptions = {
  /** Address blocks that are open to every request although they are not public. */
  readonly privateTargets: readonly string[];
  /** Whether plain http is accepted. */
  readonly allowHttp: boolean;
  readonly clock: Clock;
  readonly resolver?: Resolver;
  /** Certificates to trust instead of the system's. */
  readonly ca?: string;
  readonly proxy?: ForwardProxy;
};

/** Below the five seconds after which common receivers close an idle connection. */
const keepAliveMs = 4_000;
const connectTimeoutMs = 10_000;
const headerBytesMax = 16_384;
/** Client certificates and sets of opened blocks whose connections are kept. */
const agentsMax = 200;
/** URLs whose verdicts are kept with them: an endpoint is sent to again and again. */
const verdictsMax = 2_000;

export function createGuardedHttp(options: GuardedHttpOptions): GuardedHttp {
  const rules = rulesWith([]);
  const socketErrors: SocketErrors = new WeakMap();
  const whenAborted = createStops();
  const usual = connectionsOf(rules, undefined);
  // A connection is only used again for requests that may have made it: with the same client certificate, and for somebody to
  // whom the same blocks are open.
  const others = new Map<string, Connections>();

  return {
    async request(input) {
      const { judge, agent: using } = connectionsFor(input);
      const verdict = judge(input.url);
      if (!verdict.ok) throw new HttpFailure("blocked_target", verdict.detail);
      const startedAt = options.clock.monotonic();
      const deadline = startedAt + input.timeoutMs;
      const msLeft = () => deadline - options.clock.monotonic();
      try {
        const once = () => exchange(using, verdict.url, input, { timeoutMs: msLeft(), whenAborted });
        const answer = await once().catch((error: unknown) => {
          if (isStale(error, socketErrors) && msLeft() > 0) return once();
          throw error;
        });
        return { ...answer, durationMs: options.clock.monotonic() - startedAt };
      } catch (error) {
        throw failureOf(error);
      }
    },
    async download(input) {
      const { rules: own, agent: using } = connectionsFor(input);
      const verdict = checkTargetUrl(input.url, own);
      if (!verdict.ok) throw new HttpFailure("blocked_target", verdict.detail);
      return download(using, verdict.url, input);
    },
    check: (url, privateTargets = []) =>
      checkTargetUrl(url, privateTargets.length === 0 ? rules : rulesWith(privateTargets)),
    async close() {
      await Promise.all([usual, ...others.values()].map(({ agent }) => agent.close()));
    },
  };

  function rulesWith(opened: readonly string[]): TargetRules {
    return { privateTargets: parseCidrs([...options.privateTargets, ...opened]), allowHttp: options.allowHttp };
  }

  function connectionsFor({ tls, privateTargets = [] }: Pick<HttpRequest, "tls" | "privateTargets">): Connections {
    if (tls === undefined && privateTargets.length === 0) return usual;
    const name = JSON.stringify([tls?.id ?? null, ...privateTargets]);
    const found =
      others.get(name) ?? connectionsOf(privateTargets.length === 0 ? rules : rulesWith(privateTargets), tls);
    others.delete(name);
    others.set(name, found);
    for (const [oldest, unused] of others) {
      if (others.size <= agentsMax) break;
      others.delete(oldest);
      void unused.agent.close();
    }
    return found;
  }

  function connectionsOf(own: TargetRules, tls: ClientTls | undefined): Connections {
    const ca = tls?.ca ?? options.ca;
    const certificate = tls && { certificate: tls.certificate, privateKey: tls.privateKey };
    const agent = newAgent(own, { ...certificate, ...(ca !== undefined && { ca }) });
    return { rules: own, judge: createJudge(own), agent };
  }

  function newAgent(own: TargetRules, tls: Pick<GuardOptions, "ca" | "certificate" | "privateKey">): Agent {
    const guard: GuardOptions = {
      privateTargets: own.privateTargets,
      resolver: options.resolver ?? systemResolver,
      connectTimeoutMs,
      ...(options.proxy && { proxy: options.proxy }),
      ...tls,
    };
    return new Agent({
      connect: createGuardedConnector(guard, socketErrors),
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      maxHeaderSize: headerBytesMax,
      // The overall timer of each request decides; these two can be postponed by a receiver byte by byte.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }
}

/** Connections that may be shared, and what decides whom they may be made to. */
type Connections = {
  readonly rules: TargetRules;
  readonly judge: (url: string) => TargetVerdict;
  readonly agent: Agent;
};

/** Judges each URL once and remembers the last ones: the verdict follows from the text and the rules alone. */
function createJudge(rules: TargetRules): (url: string) => TargetVerdict {
  const known = new Map<string, TargetVerdict>();
  return (url) => {
    const verdict = known.get(url) ?? checkTargetUrl(url, rules);
    if (known.size >= verdictsMax && !known.has(url)) known.clear();
    known.set(url, verdict);
    return verdict;
  };
}

/** The receiver closed a kept-alive connection just when we used it again: nothing was answered, a new one may try. */
function isStale(error: unknown, socketErrors: SocketErrors): boolean {
  return failureOf(error).failure === "reset" && error instanceof Error && socketErrors.get(error)?.wasUsed === true;
}

/** Rejects with what undici threw, so that the caller can see whether it was a stale connection. */
function exchange(
  agent: Agent,
  url: URL,
  input: HttpRequest,
  { timeoutMs, whenAborted }: { timeoutMs: number; whenAborted: WhenAborted },
): Promise<Omit<HttpAnswer, "durationMs">> {
  return new Promise((resolve, reject) => {
    if (input.signal?.aborted) return reject(stoppedByUs());
    let controller: Dispatcher.DispatchController | undefined;
    let stopped: HttpFailure | undefined;
    let status = 0;
    let headers: HttpAnswer["headers"] = {};
    const chunks: Buffer[] = [];
    let bytes = 0;

    const timer = setTimeout(
      () => stop(new HttpFailure("timeout", `No complete answer within ${input.timeoutMs} ms`)),
      timeoutMs,
    );
    const forget = whenAborted(input.signal, () => stop(stoppedByUs()));

    function stop(reason: HttpFailure) {
      stopped = reason;
      controller?.abort(reason);
      if (status > 0) answer(true);
      else fail(reason);
    }
    function answer(isTruncated: boolean) {
      release();
      resolve({
        status,
        headers,
        body: chunks.length === 1 ? (chunks[0] ?? empty) : Buffer.concat(chunks),
        isTruncated,
      });
    }
    function fail(error: unknown) {
      release();
      reject(error);
    }
    function release() {
      clearTimeout(timer);
      forget();
    }

    agent.dispatch(
      {
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: input.method,
        headers: input.headers,
        body: typeof input.body === "function" ? input.body() : input.body,
      },
      {
        onRequestStart(started) {
          controller = started;
          if (stopped) started.abort(stopped);
        },
        onResponseStart(_controller, statusCode, responseHeaders) {
          if (statusCode < 200) return;
          status = statusCode;
          headers = responseHeaders;
        },
        onResponseData(reading, chunk) {
          const room = input.responseBytesMax - bytes;
          bytes += chunk.length;
          chunks.push(Buffer.from(chunk.subarray(0, Math.max(room, 0))));
          if (bytes <= input.responseBytesMax) return;
          answer(true);
          reading.abort(new HttpFailure("aborted", "The answer is longer than what is kept"));
        },
        onResponseEnd: () => answer(false),
        onResponseError(_controller, error) {
          if (status > 0) answer(true);
          else fail(error);
        },
      },
    );
  });
}

function stoppedByUs(): HttpFailure {
  return new HttpFailure("aborted", "Stopped by this server");
}

const empty: Buffer = Buffer.alloc(0);
