import { socketProtocol, type ServerFrame } from "@aftercall/contract/live-frames.ts";

/** One item of an event stream as a browser would give it. */
export type StreamItem = {
  readonly event: string;
  readonly id: string;
  readonly data: ReturnType<typeof JSON.parse>;
};

export type StreamClient = {
  readonly status: number;
  readonly headers: Headers;
  readonly items: readonly StreamItem[];
  /** The cursor to come back with. */
  readonly lastEventId: () => string;
  /** Resolves with the items once there is one that fits. */
  until(fits: (item: StreamItem) => boolean): Promise<readonly StreamItem[]>;
  /** Resolves when the server has ended the stream. */
  readonly ended: Promise<void>;
  /** Breaks the connection. */
  cut(): void;
};

/** Follows `/v1/stream`, as EventSource does: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation */
export async function follow(
  url: string,
  key: string,
  { topics, lastEventId }: { readonly topics?: string; readonly lastEventId?: string } = {},
): Promise<StreamClient> {
  const cutting = new AbortController();
  const answer = await fetch(`${url}/v1/stream${topics === undefined ? "" : `?topics=${topics}`}`, {
    headers: { authorization: `Bearer ${key}`, ...(lastEventId !== undefined && { "last-event-id": lastEventId }) },
    signal: cutting.signal,
  });
  const items: StreamItem[] = [];
  const waiting = new Set<() => void>();
  let lastId = lastEventId ?? "";

  return {
    status: answer.status,
    headers: answer.headers,
    items,
    lastEventId: () => lastId,
    until: (fits) =>
      new Promise((resolve) => {
        const check = () => {
          if (!items.some(fits)) return;
          waiting.delete(check);
          resolve(items);
        };
        waiting.add(check);
        check();
      }),
    ended: read().catch(() => {}),
    cut: () => cutting.abort(),
  };

  async function read(): Promise<void> {
    let text = "";
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        dispatch(text.slice(0, end));
        text = text.slice(end + 2);
      }
    }
  }

  function dispatch(block: string): void {
    const fields = new Map(
      block.split("\n").flatMap((line) => {
        const [, name = "", value = ""] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
        return name === "" ? [] : [[name, value] as const];
      }),
    );
    lastId = fields.get("id") ?? lastId;
    const data = fields.get("data");
    if (data === undefined) return;
    items.push({ event: fields.get("event") ?? "message", id: lastId, data: JSON.parse(data) });
    for (const check of waiting) check();
  }
}

export type SocketClient = {
  readonly frames: readonly ServerFrame[];
  readonly protocol: string;
  send(frame: unknown): void;
  /** Resolves with the frames once there are so many, or once one fits. */
  until(fits: number | ((frame: ServerFrame) => boolean)): Promise<readonly ServerFrame[]>;
  /** Subscribes and waits for the answer. */
  subscribe(identifier: string): Promise<ServerFrame>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  close(): void;
};

/** Opens `/v1/ws` as a page does; `token` as a subprotocol, null: none. Rejects when the server refuses the opening. */
export function openSocket(url: string, token: string | null): Promise<SocketClient> {
  const protocols = token === null ? [socketProtocol] : [socketProtocol, `bearer.${token}`];
  const socket = new WebSocket(`${url.replace("http", "ws")}/v1/ws`, protocols);
  const frames: ServerFrame[] = [];
  const waiting = new Set<() => void>();
  socket.addEventListener("message", ({ data }) => {
    const frame = JSON.parse(String(data)) as ServerFrame;
    // Comes whenever its time is, between any two others.
    if (frame.type === "heartbeat") return;
    frames.push(frame);
    for (const check of waiting) check();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
  });
  const until: SocketClient["until"] = (fits) =>
    new Promise((resolve) => {
      const check = () => {
        if (typeof fits === "number" ? frames.length < fits : !frames.some(fits)) return;
        waiting.delete(check);
        resolve(frames);
      };
      waiting.add(check);
      check();
    });
  const send = (frame: unknown) => socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  return new Promise((resolve, reject) => {
    socket.addEventListener("error", () => reject(new Error("The socket was refused")));
    socket.addEventListener("open", () =>
      resolve({
        frames,
        protocol: socket.protocol,
        send,
        until,
        async subscribe(identifier) {
          const from = frames.length;
          const isAnswer = (frame: ServerFrame) => frame.type === "subscribed" && frame.identifier === identifier;
          send({ action: "subscribe", identifier });
          await until((frame) => frames.indexOf(frame) >= from && isAnswer(frame));
          return frames.slice(from).find(isAnswer) as ServerFrame;
        },
        closed,
        close: () => socket.close(),
      }),
    );
  });
}

/** What a frame says, without the cursor, which differs from place to place. */
export function withoutCursor(frame: ServerFrame | undefined): object {
  const { cursor: _cursor, ...said } = { cursor: "", ...frame };
  return said;
}

export type Follower = {
  /** What it was told, over all its connections. */
  readonly turns: string[];
  readonly completions: string[];
  /** Connects, says where it stopped and what it waits for, and listens until `until` resolves. */
  listen(url: string, until: (client: SocketClient) => Promise<unknown>): Promise<readonly ServerFrame[]>;
};

/** Somebody who is cut off again and again, and comes back as the guide says. */
export function createFollower(key: string, identifiers: readonly string[]): Follower {
  const turns: string[] = [];
  const completions: string[] = [];
  let cursor: string | null = null;
  /** Identifiers that the cursor counts for. */
  let settled: string[] = [];
  return {
    turns,
    completions,
    async listen(url, until) {
      const client = await openSocket(url, key);
      if (cursor !== null) client.send({ action: "resume", cursor, identifiers: settled });
      const others = identifiers.filter((identifier) => !settled.includes(identifier));
      for (const identifier of others) client.send({ action: "subscribe", identifier });
      await until(client);
      client.close();
      const answered = new Set(settled);
      for (const frame of client.frames) {
        if (frame.type === "transcription") turns.push(frame.turn.text);
        if (frame.type === "data") completions.push(frame.event_id);
        if (frame.type === "subscribed") answered.add(frame.identifier);
        if (!("cursor" in frame) || frame.cursor === undefined) continue;
        cursor = frame.cursor;
        settled = [...answered];
      }
      return client.frames;
    },
  };
}
