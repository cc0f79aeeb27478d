/** A token as it is, or where to get one: asked before every try, so one that is renewed is used at once. */
export type Token = string | (() => string | null | Promise<string | null>);

export type ConnectionOptions = {
  /** Where the server is: `https://calls.example.com`. Default: where the page is from. */
  readonly baseUrl?: string;
  /** An API key, or the token of a user. */
  readonly token?: Token;
  /** How long one try may take, default 30 s. */
  readonly timeoutMs?: number;
  /** How often a request that is safe to repeat is tried again after 429, 503 or no answer, default 2. */
  readonly retriesMax?: number;
  /** The longest wait that the server may ask for with `Retry-After`, default 30 s. Longer: the error is thrown at once. */
  readonly waitMsMax?: number;
  /** Another `fetch` with the same behaviour. */
  readonly fetch?: typeof fetch;
  /** How waiting is done; a test hands in its own. */
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
};

/** Where the server is and how it is spoken to. */
export type Connection = {
  readonly baseUrl: string;
  readonly token: () => Promise<string | null>;
  readonly timeoutMs: number;
  readonly retriesMax: number;
  readonly waitMsMax: number;
  readonly fetch: typeof fetch;
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
};

/** @throws TypeError when it is not said where the server is, or not as a URL */
export function connectionOf(options: ConnectionOptions): Connection {
  const { token, timeoutMs = 30_000, retriesMax = 2, waitMsMax = 30_000 } = options;
  return {
    baseUrl: originOf(options.baseUrl),
    token: async () => (typeof token === "function" ? token() : (token ?? null)),
    timeoutMs,
    retriesMax,
    waitMsMax,
    // Looked up when it is used, so that whoever replaces the global one for tracing is heard.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    sleep: options.sleep ?? sleep,
  };
}

/** Asked for at once: a request to nowhere would look like a network that is down. */
function originOf(baseUrl: string | undefined): string {
  const given = baseUrl ?? globalThis.location?.origin;
  if (given === undefined) throw new TypeError("Give a baseUrl: where there is no page, it cannot be known");
  return new URL(given).href.replace(/\/+$/, "");
}

/** The headers by which the server knows who asks. */
export async function authorization({ token }: Connection): Promise<Record<string, string>> {
  const known = await token();
  return known === null ? {} : { authorization: `Bearer ${known}` };
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const done = () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}
