import type { EndReason } from "@aftercall/contract/live.ts";

import { type ChangeItem, streamItem } from "./change-item.ts";
import { type Place, writeCursor } from "./cursor.ts";
import { deliveriesKey, identify } from "./identify.ts";
import type { Interests } from "./interests.ts";
import { liveLimits } from "./limits.ts";
import type { Returning } from "./resume.ts";
import { maySee, type Subscriber } from "./subscriber.ts";

/** The bytes of an answer that does not end. */
export type Outlet = {
  write(bytes: Buffer): void;
  /** Bytes that were written and that nobody has taken yet. */
  readonly pendingBytes: number;
  /** Sends what is there and closes; closes anyway when it is not taken soon. */
  end(): void;
};

export type Stream = Subscriber &
  Returning & {
    /**
     * Starts: headers have been sent. Changes are held until {@link Stream.goLive}. `here`: null for a client that has a cursor
     * of its own and must keep it until it was given what it missed.
     */
    open(outlet: Outlet, here: Place | null): void;
    goLive(): void;
    /** Its client is gone. */
    close(): void;
  };

/**
 * `calls`, `call:<any id of a call>`, `campaign:<id>`, `deliveries`; null for anything else. `campaigns`: our ids of those that go by the id of
 * another system.
 */
export function keysOfTopic(topic: string, campaigns: ReadonlyMap<string, string>): readonly string[] | null {
  if (topic === "calls") return ["*"];
  if (topic === "deliveries") return [deliveriesKey];
  if (topic.startsWith("call:")) {
    const { kind, keys } = identify(topic.slice("call:".length));
    return kind === "all" || kind === "deliveries" || kind === "campaign" || topic.length > 260 || topic === "call:"
      ? null
      : keys;
  }
  if (topic.startsWith("campaign:")) {
    const { identifier, kind, keys } = identify(topic.slice("campaign:".length));
    const id = campaigns.get(identifier);
    if (id !== undefined) return [`campaign ${id}`];
    return kind === "campaign" ? keys : null;
  }
  return null;
}

/** One client of the event stream. */
export function createStream(options: {
  readonly tenantId: string;
  readonly businessId: string | null;
  readonly credential: string;
  readonly keys: readonly string[];
  readonly interests: Interests<Subscriber>;
  readonly left: (stream: Subscriber) => void;
}): Stream {
  const { tenantId, businessId, credential, interests } = options;
  const keys = new Set(options.keys);
  let outlet: Outlet | null = null;
  let held: ChangeItem[] | null = [];
  let isEnded = false;

  const stream: Stream = {
    tenantId,
    businessId,
    credential,
    wantsPairs: false,
    wantsDeliveries: () => keys.has(deliveriesKey),
    open(given, here) {
      outlet = given;
      const id = here ? `id: ${writeCursor(here)}\n` : "";
      outlet.write(Buffer.from(`retry: 2000\n${id}\n`));
    },
    take(item) {
      if (isEnded) return;
      if (!held) return send(item);
      if (held.push(item) > liveLimits.waitingItemsMax) stream.end("slow_consumer");
    },
    wants,
    repeat: (item) => write(item.streamed()),
    goLive() {
      const waiting = held ?? [];
      held = null;
      for (const item of waiting) send(item);
    },
    startAnew(reason, here) {
      write(streamItem("reset", { reason }, writeCursor(here)));
    },
    reset(here) {
      stream.startAnew("unknown_cursor", here);
    },
    follow(from, to) {
      if (!keys.has(`call ${from}`)) return;
      keys.add(`call ${to}`);
      interests.add(tenantId, stream, [`call ${to}`]);
    },
    // The cursor goes along, so that somebody who heard nothing for days can still go on.
    beat(place) {
      write(Buffer.from(held ? ": still here\n\n" : `id: ${writeCursor(place)}\n: still here\n\n`));
    },
    end(reason) {
      if (isEnded) return;
      outlet?.write(streamItem("end", { reason } satisfies { reason: EndReason }, null));
      stream.close();
      outlet?.end();
    },
    pendingBytes: () => outlet?.pendingBytes ?? 0,
    isEnded: () => isEnded,
    close() {
      if (isEnded) return;
      isEnded = true;
      held = null;
      interests.remove(tenantId, stream, [...keys]);
      options.left(stream);
    },
  };
  return stream;

  function send(item: ChangeItem): void {
    if (wants(item)) write(item.streamed());
  }

  /** Lists of calls do not show what is being said, and no campaign either. */
  function wants(item: ChangeItem): boolean {
    const { kind, keys: theirs } = item;
    if (!maySee(stream, item)) return false;
    return theirs.some((key) => {
      if (!keys.has(key)) return false;
      return kind === "call" || (key !== "*" && (kind === "campaign" || !key.startsWith("campaign ")));
    });
  }

  function write(bytes: Buffer): void {
    if (isEnded || !outlet) return;
    outlet.write(bytes);
    if (outlet.pendingBytes > liveLimits.waitingBytesMax) stream.end("slow_consumer");
  }
}
