import { authorization, type Connection } from "./connection.ts";
import type { StreamData } from "./contract.ts";
import { AftercallError, errorOf } from "./error.ts";
import { createEventStreamReader, type EventStreamReader } from "./event-stream.ts";

/** `calls`, one call by any of its ids, a campaign with its calls, or what becomes of deliveries. */
export type Topic = "calls" | "deliveries" | `call:${string}` | `campaign:${string}`;

/** Something that happened; `event` says what `data` is. After `reset` fetch again what you show: something was missed. */
export type StreamItem = {
  [Kind in StreamKind]: { readonly event: Kind; readonly data: StreamData[Kind] };
}[StreamKind];
type StreamKind = Exclude<keyof StreamData, "end">;

/** `reconnecting` while the connection is away; what happens meanwhile comes afterwards. */
export type StreamStatus = "connecting" | "live" | "reconnecting";

export type StreamOptions = {
  readonly topics: readonly Topic[];
  readonly signal?: AbortSignal;
  /** Goes on after what `onCursor` told last, in an earlier stream. */
  readonly lastEventId?: string;
  /** Told when an item has been handled, that is, when the next one is asked for; and now and then without one. */
  readonly onCursor?: (lastEventId: string) => void;
  readonly onStatus?: (status: StreamStatus) => void;
};

/**
 * What happens, as it happens (`GET /v1/stream`). A connection that is cut is made again and goes on where it stopped, for as
 * long as somebody reads. Leave the loop or abort the signal to end it.
 *
 * ```ts
 * for await (const item of openStream(aftercall.connection, { topics: ["calls"] })) {
 *   if (item.event === "call") console.log(item.data.call.id, item.data.call.status);
 * }
 * ```
 * @throws AftercallError when the server refuses: a token that is not valid, a topic that does not exist
 */
export async function* openStream(
  connection: Connection,
  { topics, signal, lastEventId = "", onCursor, onStatus }: StreamOptions,
): AsyncGenerator<StreamItem, void, undefined> {
  const reader = createEventStreamReader(lastEventId);
  const leaving = new AbortController();
  const stop = signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal;
  const path = `/v1/stream?topics=${topics.map(encodeURIComponent).join(",")}`;
  onStatus?.("connecting");
  try {
    for (let failures = 0; !stop.aborted; failures++) {
      let cause: unknown = null;
      try {
        for await (const item of connectOnce(connection, { path, reader, signal: stop, onCursor })) {
          failures = 0;
          if (item === "open") onStatus?.("live");
          else yield item;
        }
      } catch (error) {
        if (stop.aborted) return;
        if (!isPassing(error)) throw error;
        cause = error;
      }
      if (stop.aborted) return;
      reader.cut();
      onStatus?.("reconnecting");
      await connection.sleep(waitBefore(cause, reader, failures), stop).catch(() => {});
    }
  } finally {
    leaving.abort();
  }
}

/** A server that is there says so every 15 s. */
const silenceMsMax = 45_000;
const waitMsMax = 30_000;
const silent = new DOMException("The stream went silent", "TimeoutError");

type Attempt = {
  readonly path: string;
  readonly reader: EventStreamReader;
  readonly signal: AbortSignal;
  readonly onCursor: StreamOptions["onCursor"];
};

async function* connectOnce(connection: Connection, attempt: Attempt): AsyncGenerator<StreamItem | "open", void> {
  const { path, reader, signal, onCursor } = attempt;
  const silence = new AbortController();
  const watch = () => setTimeout(() => silence.abort(silent), silenceMsMax);
  let timer = watch();
  try {
    const headers: Record<string, string> = { accept: "text/event-stream", ...(await authorization(connection)) };
    if (reader.lastEventId() !== "") headers["last-event-id"] = reader.lastEventId();
    const answer = await connection.fetch(connection.baseUrl + path, {
      headers,
      cache: "no-store",
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!answer.ok || !answer.body) throw errorOf(answer, await answer.text());
    yield "open";
    const texts = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await texts.read();
      if (done) return;
      clearTimeout(timer);
      timer = watch();
      for (const { event, data, id } of reader.read(value)) {
        if (event === "end") return;
        // Kinds that a later server adds are for later clients.
        if (isKnown(event)) yield { event, data: JSON.parse(data) };
        if (id !== "") onCursor?.(id);
      }
      if (reader.lastEventId() !== "") onCursor?.(reader.lastEventId());
    }
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

function isKnown(event: string): event is StreamItem["event"] {
  return ["call", "transcription", "campaign", "delivery", "endpoint", "reset"].includes(event);
}

/** Whether it is worth connecting again: the network was away, or the server is busy. `fetch` throws a TypeError for a network. */
function isPassing(error: unknown): boolean {
  if (error instanceof AftercallError) return error.status === 429 || error.status >= 500;
  return error instanceof TypeError || error === silent;
}

/** As the server asks; then longer each time, by chance, so that clients that were cut together do not come back together. */
function waitBefore(error: unknown, reader: EventStreamReader, failures: number): number {
  const asked = error instanceof AftercallError ? error.retryAfterSeconds : null;
  if (asked !== null) return asked * 1000;
  return Math.min((reader.retryMs() ?? 1_000) * 2 ** Math.min(failures, 5), waitMsMax) * (0.5 + Math.random() / 2);
}
