import type { Client } from "./client.ts";
import type { StreamData } from "./contract.ts";
import { paginate } from "./paginate.ts";
import { openStream, type StreamItem, type StreamStatus } from "./stream.ts";

/** A message as its endpoint is sent it: put the bytes and the headers into a request, or hand them to `verify`. */
export type ListenerMessage = {
  /** The `webhook-id`: the same whenever this message is sent. */
  readonly id: string;
  readonly type: string;
  /** The bytes as they are signed. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Signed now and with the listener's secret: `webhook-id`, `webhook-timestamp`, `webhook-signature`, `content-type`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly delivery: Delivery;
};

export type ListenerOptions = {
  /** Whose messages: the id of an endpoint. Whether it can be reached makes no difference. */
  readonly endpoint: string;
  /** Also what was sent since then, oldest first, before what comes now; with a `cursor` only if that is too old. */
  readonly since?: Date;
  /** Goes on after what `onCursor` told last, in an earlier listener. */
  readonly cursor?: string;
  /** Told when the messages up to here have been handled. */
  readonly onCursor?: (cursor: string) => void;
  /** Signs the messages, `whsec_…`. Default: a new one, which `secret` says. */
  readonly secret?: string;
  readonly signal?: AbortSignal;
  readonly onStatus?: (status: StreamStatus) => void;
};

export type Listener = {
  /** What to give `verify`. */
  readonly secret: string;
  /**
   * Hands over each message, one after the other, until the signal ends it. Connections that are cut are made again; nothing is
   * missed and nothing comes twice. What the handler throws ends it, and that message is not past the cursor.
   * @throws AftercallError when the server refuses: a token that is not valid, or may not see deliveries
   */
  run(handle: (message: ListenerMessage) => void | Promise<void>): Promise<void>;
};

/**
 * Brings the messages of an endpoint here, as the server sends them: to a machine that no webhook can reach, or to a program that
 * would rather ask than be called. A resend comes again, a retry does not.
 *
 * ```ts
 * const listener = createListener(aftercall, { endpoint: "ep_01m7z915nee00af3gjwdrye1p9", since: new Date(Date.now() - 3_600_000) });
 * await listener.run(async ({ body, headers }) => {
 *   await fetch("http://localhost:3000/hooks", { method: "POST", body, headers });
 * });
 * ```
 * @throws TypeError when the secret cannot be read
 */
export function createListener(aftercall: Client, options: ListenerOptions): Listener {
  const { endpoint, since, cursor, onCursor, onStatus, signal, secret = newSecret() } = options;
  const key = bytesOf(secret);
  /** Deliveries that were handed over, the latest ones: a list and the stream overlap. */
  const handed = new Set<string>();
  let form = "standard";
  let latest = since?.toISOString() ?? new Date().toISOString();

  return {
    secret,
    async run(handle) {
      const leaving = new AbortController();
      let open = () => {};
      const opened = new Promise<void>((resolve) => (open = resolve));
      let told: string | null = null;
      let isFilled = false;
      const { format, payload } = await aftercall.getEndpoint(endpoint, signal && { signal });
      form = payload === "thin" ? `${format}.thin` : format;
      const items = openStream(aftercall.connection, {
        topics: ["deliveries"],
        ...(cursor !== undefined && { lastEventId: cursor }),
        signal: AbortSignal.any([leaving.signal, ...(signal ? [signal] : [])]),
        onStatus(status) {
          if (status === "live") open();
          onStatus?.(status);
        },
        onCursor(at) {
          if (isFilled) onCursor?.(at);
          else told = at;
        },
      });
      try {
        // It is asked for before the list is, so that nothing falls between the two.
        let next = items.next();
        next.catch(() => {});
        await Promise.race([opened, next]);
        if (since && cursor === undefined) await fill(handle);
        isFilled = true;
        if (told !== null) onCursor?.(told);
        for (let item = await next; !item.done; item = await next) {
          await take(item.value, handle);
          next = items.next();
        }
      } finally {
        leaving.abort();
      }
    },
  };

  async function take(item: StreamItem, handle: Handle): Promise<void> {
    if (item.event === "reset") return fill(handle);
    if (item.event !== "delivery" || item.data.attempt.number > 1) return;
    if (item.data.delivery.endpoint_id === endpoint) await hand(item.data.delivery, handle);
  }

  /** What was sent since the latest that was handed over, oldest first. */
  async function fill(handle: Handle): Promise<void> {
    const found: Delivery[] = [];
    const query = { endpoint_id: endpoint, limit: 100 };
    for await (const delivery of paginate(aftercall.listDeliveries, query, signal && { signal })) {
      if (delivery.created_at < latest) break;
      if (delivery.attempt_count > 0) found.push(delivery);
    }
    for (const delivery of found.toReversed()) await hand(delivery, handle);
  }

  async function hand(delivery: Delivery, handle: Handle): Promise<void> {
    if (handed.has(delivery.id)) return;
    const message = await aftercall.getMessage(delivery.message_id, signal && { signal });
    // What an endpoint has mapped is made of another format in each attempt.
    const { [form]: own, standard = Object.values(message.bodies)[0] } = message.bodies;
    const body = own ?? standard;
    // Its bytes were removed, by age or by hand: there is nothing to hand over.
    if (body !== undefined) await handle(await signed(delivery, body));
    handed.add(delivery.id);
    const [oldest] = handed;
    if (handed.size > handedMax && oldest !== undefined) handed.delete(oldest);
    if (delivery.created_at > latest) latest = delivery.created_at;
  }

  async function signed(delivery: Delivery, text: string): Promise<ListenerMessage> {
    const { message_id: id, type } = delivery;
    const timestamp = String(Math.floor(Date.now() / 1000));
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
    const signature = await crypto.subtle.sign("HMAC", imported, encoder.encode(`${id}.${timestamp}.${text}`));
    const headers = {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": `v1,${base64(new Uint8Array(signature))}`,
    };
    return { id, type, body: encoder.encode(text), headers, delivery };
  }
}

type Handle = Parameters<Listener["run"]>[0];
type Delivery = StreamData["delivery"]["delivery"];

const handedMax = 10_000;
const encoder = new TextEncoder();

function newSecret(): string {
  return `whsec_${base64(crypto.getRandomValues(new Uint8Array(24)))}`;
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function bytesOf(secret: string): Uint8Array<ArrayBuffer> {
  try {
    const bytes = Uint8Array.from(atob(secret.replace(/^whsec_/, "")), (letter) => letter.charCodeAt(0));
    if (bytes.length > 0) return bytes;
  } catch {
    // Said below.
  }
  throw new TypeError("A secret is whsec_ and base64");
}
