import { toPublicId } from "@aftercall/contract/id.ts";
import type { SocketErrorCode } from "@aftercall/contract/live-frames.ts";
import type { EndReason } from "@aftercall/contract/live.ts";

import type { Db } from "#/db/transaction.ts";

import { withCampaigns } from "./campaign-names.ts";
import type { ChangeItem } from "./change-item.ts";
import { writeCursor } from "./cursor.ts";
import { type Found, lookUp } from "./endings.ts";
import { followDeliveries } from "./follow.ts";
import { frame, type Pair } from "./frames.ts";
import type { Hub } from "./hub.ts";
import { deliveriesKey, type Identified, identify } from "./identify.ts";
import { liveLimits } from "./limits.ts";
import type { Resume, Returning } from "./resume.ts";
import type { Visitor, Wire } from "./socket.ts";
import type { Subscriber } from "./subscriber.ts";
import { createSubscriptions } from "./subscriptions.ts";

/** A socket whose tenant is known: what it subscribed to, and what it has been told. */
export type Listener = Subscriber & {
  /** Answers with what the identifier was taken for, then with the completion of a call that is over already. */
  subscribe(identifier: string): Promise<void>;
  unsubscribe(identifier: string): void;
  /** Subscribes to all of these, tells what came after the cursor, and goes on live. */
  resume(cursor: string, identifiers: readonly string[]): Promise<void>;
  pong(): void;
  close(): void;
};

export type ListenerOptions = Visitor & {
  readonly wire: Wire;
  readonly credential: string;
  readonly hub: Hub;
  readonly resume: Resume;
  readonly db: Db;
  readonly close: (code: number, reason: string) => void;
};

export function createListener(options: ListenerOptions): Listener {
  const { wire, tenantId, businessId, hub, db } = options;
  /** Completions it has been told, the latest ones: a second name for a call must not repeat the first one's. */
  let told: Set<string> | null = null;
  let held: { item: ChangeItem; pair: Pair | null }[] | null = null;
  let isAlive = true;
  let isEnded = false;

  const listener: Listener & Omit<Returning, "startAnew"> = {
    tenantId,
    businessId,
    credential: options.credential,
    wantsPairs: true,
    wantsDeliveries: () => hub.interests.isWaiting(tenantId, listener, [deliveriesKey]),

    async subscribe(identifier) {
      if (!subscriptions.has(identifier) && subscriptions.count() >= liveLimits.subscriptionsMax) {
        const message = `A connection has at most ${liveLimits.subscriptionsMax} subscriptions`;
        return refuse("too_many_subscriptions", message);
      }
      const [wanted] = await withCampaigns(db, options, [identify(identifier)]);
      if (!wanted || isForbidden([wanted])) return;
      if (await toldSince([wanted])) await hub.upToDate();
      if (isEnded) return;
      // What happens while we look is told after the answer.
      held = [];
      const cursor = writeCursor(hub.here());
      subscriptions.add(wanted);
      try {
        const [found = null] = await lookUp(db, options, [wanted]);
        const pair = found?.pair?.(cursor) ?? null;
        const isNews = pair !== null && !told?.has(pair.eventId);
        answer(wanted, found, isNews ? null : cursor);
        if (isNews) complete(pair);
      } catch (error) {
        subscriptions.remove(identifier);
        throw error;
      } finally {
        goLive();
      }
    },

    unsubscribe(identifier) {
      subscriptions.remove(identifier);
      send(frame({ type: "unsubscribed", identifier }));
    },

    async resume(cursor, identifiers) {
      if (subscriptions.count() > 0) return refuse("too_late_to_resume", "Resume before the first subscription");
      const wanted = await withCampaigns(db, options, [...new Set(identifiers)].map(identify));
      if (isForbidden(wanted)) return;
      const found = await lookUp(db, options, wanted);
      const since = await toldSince(wanted);
      if (isEnded) return;
      held = [];
      const here = hub.here();
      for (const [index, one] of wanted.entries()) {
        subscriptions.add(one);
        answer(one, found[index] ?? null, null);
      }
      let isAnew = false;
      const startAnew: Returning["startAnew"] = (reason) => {
        isAnew = true;
        send(frame({ type: "reset", reason }));
      };
      await options.resume({ ...listener, startAnew }, cursor, here, { toldSince: since })();
      if (isAnew) for (const one of found) if (one?.pair) complete(one.pair(null));
      send(frame({ type: "resumed", cursor: writeCursor(here) }));
      goLive();
    },

    take(item, pair) {
      if (held) {
        if (held.push({ item, pair }) > liveLimits.waitingItemsMax) listener.end("slow_consumer");
      } else listener.repeat(item, pair);
    },

    repeat(item, pair) {
      const text = item.framed();
      if (text !== null) send(text);
      // It was told as the answer to a subscription that came between: from here it goes on all the same.
      else if (pair && !complete(pair)) send(frame({ type: "heartbeat", cursor: item.cursor() }));
    },

    wants: (item) => hub.interests.isWaiting(tenantId, listener, item.keys),
    follow: (from, to) => subscriptions.follow(from, to),

    beat(place) {
      if (!isAlive) return options.close(1001, "no answer to a ping");
      isAlive = false;
      wire.ping();
      // Who waits for nothing yet has not said where it stood.
      if (!held && subscriptions.count() > 0) send(frame({ type: "heartbeat", cursor: writeCursor(place) }));
    },
    pong() {
      isAlive = true;
    },
    // Cursors of the other database mean nothing here; who subscribes again is told how things stand.
    reset: () => options.close(1012, "the database was replaced, connect again"),
    end: (reason) => options.close(...endings[reason]),
    pendingBytes: () => wire.pendingBytes,
    isEnded: () => isEnded,
    close() {
      isEnded = true;
      held = null;
      subscriptions.clear();
      hub.leave(listener);
    },
  };
  const subscriptions = createSubscriptions(listener, hub.interests);
  return listener;

  function answer({ identifier, kind }: Identified, found: Found | null, cursor: string | null): void {
    if (found) subscriptions.bind(identifier, found.callId);
    const call_id = found && toPublicId("call", found.callId);
    send(frame({ type: "subscribed", identifier, kind, call_id, ...(cursor !== null && { cursor }) }));
  }

  /** Says so, too. */
  function isForbidden(wanted: readonly Identified[]): boolean {
    const is = !options.seesDeliveries && wanted.some(({ kind }) => kind === "deliveries");
    if (is) refuse("forbidden", "This credential may not see deliveries");
    return is;
  }

  /** From when on what becomes of deliveries is told, where they are wanted. */
  async function toldSince(wanted: readonly Identified[]): Promise<number | null> {
    return wanted.some(({ kind }) => kind === "deliveries") ? followDeliveries(db, tenantId) : null;
  }

  function goLive(): void {
    const waiting = held ?? [];
    held = null;
    for (const { item, pair } of waiting) listener.take(item, pair);
  }

  /** Both frames at once: nothing of this connection can come between them. False for one that it has been told. */
  function complete({ eventId, status, data }: Pair): boolean {
    told ??= new Set();
    if (told.has(eventId)) return false;
    told.add(eventId);
    const [oldest] = told;
    if (told.size > toldMax && oldest) told.delete(oldest);
    send(status);
    send(data);
    return true;
  }

  function refuse(code: SocketErrorCode, message: string): void {
    send(frame({ type: "error", code, message }));
  }

  function send(text: string): void {
    if (isEnded) return;
    wire.send(text);
    if (wire.pendingBytes > liveLimits.waitingBytesMax) listener.end("slow_consumer");
  }
}

const toldMax = 200;

const endings: Readonly<Record<EndReason, readonly [code: number, reason: string]>> = {
  slow_consumer: [1013, "slow_consumer: messages were not taken fast enough"],
  credential_ended: [1008, "credential_ended: the key or token does not count any more"],
  stopping: [1001, "stopping: connect again"],
  unavailable: [1013, "unavailable: connect again"],
};
