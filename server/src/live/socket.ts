import { ClientFrame, type SocketErrorCode } from "@aftercall/contract/live-frames.ts";

import type { Db } from "#/db/transaction.ts";
import { AppError, Forbidden, TooMany, Unauthorized } from "#/kernel/errors.ts";
import type { Log } from "#/kernel/log.ts";

import { frame } from "./frames.ts";
import type { Hub } from "./hub.ts";
import { liveLimits } from "./limits.ts";
import { createListener, type Listener } from "./listener.ts";
import type { Resume } from "./resume.ts";

/** A WebSocket, as far as it is needed here. */
export type Wire = {
  send(text: string): void;
  readonly pendingBytes: number;
  ping(): void;
  /** Says why, and closes anyway when the other side does not answer soon. */
  close(code: number, reason: string): void;
};

/** Somebody whose token was good; `credential` as in an Authorization header. */
export type Guest = Visitor & { readonly credential: string };

/** Whose changes somebody may see: those of a tenant, or of one of its end-customers. */
export type Visitor = {
  readonly tenantId: string;
  readonly businessId: string | null;
  /** Whether also what becomes of the tenant's deliveries. */
  readonly seesDeliveries: boolean;
};

export type SocketOptions = {
  readonly hub: Hub;
  readonly resume: Resume;
  readonly db: Db;
  readonly log: Log;
  /** Who is behind a token. @throws Unauthorized, Forbidden, TooMany */
  readonly authenticate: (token: string) => Promise<Visitor>;
};

/** What the connection is told of its wire. */
export type Socket = {
  hear(text: string): void;
  /** The other side answered a ping. */
  pong(): void;
  /** The token that came with the opening does not count: says why, and ends it. */
  refuse(why: string): void;
  /** No token came in time. */
  lateForToken(): void;
  /** The wire is closed. */
  gone(): void;
};

/**
 * One client of `/v1/ws`. Frames are handled one after the other. `guest` has shown a token with the opening of the
 * connection; without one the first frame must bring it.
 */
export function createSocket(wire: Wire, guest: Guest | null, options: SocketOptions): Socket {
  const frames: (() => void | Promise<void>)[] = [];
  let listener: Listener | null = null;
  let isHandling = false;
  let isClosed = false;
  if (guest) queue(() => enter(guest));

  return {
    hear(text) {
      queue(() => handle(text));
    },
    pong: () => listener?.pong(),
    refuse,
    lateForToken() {
      if (!listener) close(1008, "unauthorized: no token came");
    },
    gone() {
      isClosed = true;
      frames.length = 0;
      listener?.close();
    },
  };

  function queue(work: () => void | Promise<void>): void {
    if (isClosed) return;
    if (frames.push(work) > liveLimits.framesWaitingMax) return close(1008, "too many frames at once");
    if (!isHandling) void handleAll();
  }

  async function handleAll(): Promise<void> {
    isHandling = true;
    for (let work = frames.shift(); work && !isClosed; work = frames.shift()) {
      try {
        await work();
      } catch (error) {
        if (!(error instanceof AppError)) options.log.error({ err: error }, "live frame failed");
        say("unavailable", error instanceof AppError ? error.message : "The request failed; repeat it in a moment");
        if (!listener) close(1013, "unavailable");
      }
    }
    isHandling = false;
  }

  function handle(text: string): void | Promise<void> {
    const parsed = readFrame(text);
    if (typeof parsed === "string") {
      say(parsed, errorTexts[parsed]);
      if (!listener) close(1008, "unauthorized: the first frame must authenticate");
      return;
    }
    if (parsed.action === "authenticate") {
      if (listener) return say("unknown_action", "This connection has a token already");
      return authenticate(parsed.token);
    }
    if (!listener) {
      say("unauthorized", 'Send {"action":"authenticate","token":"…"} first');
      return close(1008, "unauthorized: the first frame must authenticate");
    }
    switch (parsed.action) {
      case "subscribe":
        return listener.subscribe(parsed.identifier);
      case "unsubscribe":
        return listener.unsubscribe(parsed.identifier);
      case "resume":
        return listener.resume(parsed.cursor, parsed.identifiers);
    }
  }

  async function authenticate(token: string): Promise<void> {
    try {
      await enter({ ...(await options.authenticate(token)), credential: `Bearer ${token}` });
      wire.send(frame({ type: "authenticated" }));
    } catch (error) {
      if (!(error instanceof Unauthorized || error instanceof Forbidden || error instanceof TooMany)) throw error;
      refuse(error.message);
    }
  }

  function refuse(why: string): void {
    say("unauthorized", why);
    close(1008, "unauthorized");
  }

  async function enter(visitor: Guest): Promise<void> {
    const entering = createListener({ ...visitor, ...options, wire, close });
    await options.hub.enter(entering, () => {});
    if (isClosed) return entering.close();
    listener = entering;
  }

  function say(code: SocketErrorCode, message: string): void {
    wire.send(frame({ type: "error", code, message }));
  }

  function close(code: number, reason: string): void {
    if (isClosed) return;
    isClosed = true;
    frames.length = 0;
    listener?.close();
    wire.close(code, reason);
  }
}

const errorTexts = {
  malformed: "A frame is one JSON object with the fields that its action has, and no others",
  unknown_action: "Known actions are authenticate, subscribe, unsubscribe and resume",
} as const;

function readFrame(text: string): ClientFrame | keyof typeof errorTexts {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "malformed";
  }
  const result = ClientFrame.safeParse(json);
  if (result.success) return result.data;
  const action = typeof json === "object" && json !== null && "action" in json ? json.action : undefined;
  return typeof action === "string" && !actions.has(action) ? "unknown_action" : "malformed";
}

const actions: ReadonlySet<string> = new Set(["authenticate", "subscribe", "unsubscribe", "resume"]);
