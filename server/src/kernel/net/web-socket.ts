import type { Socket } from "node:net";

import type { buildConnector } from "undici";
import { type ClientOptions, WebSocket } from "ws";

import { parseCidrs } from "./addresses.ts";
import { HttpFailure } from "./failure.ts";
import { createGuardedConnector, type Resolver, systemResolver } from "./guard.ts";
import type { ForwardProxy } from "./proxy.ts";
import { checkTargetUrl } from "./target.ts";

/** One end of a WebSocket that speaks text. */
export type SocketWire = {
  send(text: string): void;
  /** Bytes that the other side has not taken yet. */
  readonly pendingBytes: number;
  ping(): void;
  /** Says why, and ends it anyway when the other side does not answer within two seconds. */
  close(code: number, reason: string): void;
  /** Ends it at once. */
  terminate(): void;
};

/** What its owner is told. `closed` comes once and last. */
export type SocketEvents = {
  opened(): void;
  heard(text: string): void;
  pong(): void;
  closed(why: SocketClosed): void;
};

/** `status`: the HTTP answer, where the other side refused to open it. `reason` is for the operator. */
export type SocketClosed = { readonly code: number; readonly reason: string; readonly status: number | null };

/** WebSockets to addresses that tenants name. There is no other way out for them. */
export type GuardedSockets = {
  /** @throws HttpFailure `blocked_target` for a URL that is refused by its text; its addresses are judged when it connects. */
  open(input: SocketRequest, events: SocketEvents): SocketWire;
};

export type SocketRequest = {
  /** `ws://` or `wss://`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Blocks that the operator opened for whom this is opened. */
  readonly privateTargets: readonly string[];
};

export type GuardedSocketsOptions = {
  /** Whether plain `ws://` is accepted. */
  readonly allowPlain: boolean;
  readonly resolver?: Resolver;
  readonly proxy?: ForwardProxy;
};

const connectTimeoutMs = 10_000;
const closeTimeout = 2_000;
/** Larger messages are nobody's speech. */
const messageBytesMax = 4_000_000;

export function createGuardedSockets({
  allowPlain,
  resolver = systemResolver,
  proxy,
}: GuardedSocketsOptions): GuardedSockets {
  return {
    open({ url, headers, privateTargets }, events) {
      const opened = parseCidrs(privateTargets);
      const verdict = checkTargetUrl(url.replace(/^ws/i, "http"), { privateTargets: opened, allowHttp: allowPlain });
      if (!verdict.ok) throw new HttpFailure("blocked_target", verdict.detail);
      const dial = createGuardedConnector(
        { privateTargets: opened, resolver, connectTimeoutMs, ...(proxy && { proxy }) },
        new WeakMap(),
      );
      const { protocol, hostname, host, port } = verdict.url;
      const target = { protocol, hostname, host, port } as buildConnector.Options;
      // Node hands a function that takes the socket; the types know only the one that gives it back.
      const createConnection = ((_options: unknown, done: (error: Error | null, socket?: Socket) => void) => {
        dial(target, (...[error, socket]) => (error === null ? done(null, socket) : done(error)));
      }) as unknown as ClientOptions["createConnection"];
      const socket = new WebSocket(url, {
        ...{ headers, createConnection, closeTimeout },
        handshakeTimeout: connectTimeoutMs,
        maxPayload: messageBytesMax,
        perMessageDeflate: false,
        followRedirects: false,
      });
      return listenTo(socket, events);
    },
  };
}

/** Tells the owner of a WebSocket, ours or one that came in, what happens on it. */
export function listenTo(socket: WebSocket, events: SocketEvents): SocketWire {
  let status: number | null = null;
  let failed = "";
  socket.on("open", events.opened);
  socket.on("message", (data, isBinary) => {
    if (isBinary) socket.close(1003, "frames are text");
    else events.heard(textOf(data));
  });
  socket.on("pong", events.pong);
  socket.on("unexpected-response", (_request, response) => {
    status = response.statusCode ?? null;
    response.destroy();
    socket.terminate();
  });
  // An error is followed by the close.
  socket.on("error", (error) => {
    failed ||= error.message;
    socket.terminate();
  });
  socket.on("close", (code, reason) => {
    const refused = status === null ? failed : `answered ${status}`;
    events.closed({ code, reason: reason.toString() || refused, status });
  });
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    get pendingBytes() {
      return socket.bufferedAmount;
    },
    ping() {
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    },
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
  };
}

function textOf(data: Buffer | ArrayBuffer | Buffer[]): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString();
}
