import { toPublicId } from "@aftercall/contract/id.ts";
import type { EndReason } from "@aftercall/contract/live.ts";

import type { Db } from "#/db/transaction.ts";

import type { ChangeItem } from "./change-item.ts";
import { lookUp } from "./endings.ts";
import { frame, type Pair } from "./frames.ts";
import type { Hub } from "./hub.ts";
import { identify } from "./identify.ts";
import { liveLimits } from "./limits.ts";
import type { Wire } from "./socket.ts";
import type { Subscriber } from "./subscriber.ts";

/** A socket whose tenant is known: what it subscribed to, and what it has been told. */
export type Listener = Subscriber & {
  /** Answers with what the identifier was taken for, then with the completion of a call that is over already. */
  subscribe(identifier: string): Promise<void>;
  unsubscribe(identifier: string): void;
  pong(): void;
  close(): void;
};

export function createListener(options: {
  readonly wire: Wire;
  readonly tenantId: string;
  readonly businessId: string | null;
  readonly credential: string;
  readonly hub: Hub;
  readonly db: Db;
  readonly close: (code: number, reason: string) => void;
}): Listener {
  const { wire, tenantId, businessId, hub } = options;
  const keysByIdentifier = new Map<string, string[]>();
  /** Completions it has been told, the latest ones: a second name for a call must not repeat the first one's. */
  const told = new Set<string>();
  let held: { item: ChangeItem; pair: Pair | null }[] | null = null;
  let isAlive = true;

  const listener: Listener = {
    tenantId,
    businessId,
    credential: options.credential,
    wantsPairs: true,

    async subscribe(identifier) {
      if (!keysByIdentifier.has(identifier) && keysByIdentifier.size >= liveLimits.subscriptionsMax) {
        const message = `A connection has at most ${liveLimits.subscriptionsMax} subscriptions`;
        return send(frame({ type: "error", code: "too_many_subscriptions", message }));
      }
      const found = identify(identifier);
      const keys = keysByIdentifier.get(identifier) ?? [...found.keys];
      keysByIdentifier.set(identifier, keys);
      hub.interests.add(tenantId, listener, keys);
      // What happens while we look is told after the answer.
      held = [];
      try {
        const call = await lookUp(options.db, { tenantId, businessId }, identifier, found);
        if (call && !keys.includes(`call ${call.callId}`)) wait(keys, call.callId);
        const callId = call && toPublicId("call", call.callId);
        send(frame({ type: "subscribed", identifier, kind: found.kind, call_id: callId }));
        if (call?.pair) complete(call.pair);
      } catch (error) {
        keysByIdentifier.delete(identifier);
        forget(keys);
        throw error;
      } finally {
        const waiting = held ?? [];
        held = null;
        for (const { item, pair } of waiting) listener.take(item, pair);
      }
    },

    unsubscribe(identifier) {
      const keys = keysByIdentifier.get(identifier);
      keysByIdentifier.delete(identifier);
      if (keys) forget(keys);
      send(frame({ type: "unsubscribed", identifier }));
    },

    take(item, pair) {
      if (held) {
        if (held.push({ item, pair }) > liveLimits.waitingItemsMax) listener.end("slow_consumer");
        return;
      }
      if ("turn" in item.item) {
        const { call_id, turn } = item.item;
        return send(frame({ type: "transcription", call_id, turn }));
      }
      if (pair) complete(pair);
    },

    follow(from, to) {
      for (const keys of keysByIdentifier.values()) {
        if (keys.includes(`call ${from}`) && !keys.includes(`call ${to}`)) wait(keys, to);
      }
    },

    beat() {
      if (!isAlive) return options.close(1001, "no answer to a ping");
      isAlive = false;
      wire.ping();
    },
    pong() {
      isAlive = true;
    },
    // Nothing is resumed here: who subscribes again is told how things stand.
    reset: () => options.close(1012, "the database was replaced, connect again"),
    end: (reason) => options.close(...endings[reason]),
    close() {
      hub.interests.remove(tenantId, listener, [...keysByIdentifier.values()].flat());
      keysByIdentifier.clear();
      hub.leave(listener);
    },
  };
  return listener;

  function wait(keys: string[], callId: string): void {
    keys.push(`call ${callId}`);
    hub.interests.add(tenantId, listener, [`call ${callId}`]);
  }

  /** Another identifier may wait for the same. */
  function forget(keys: readonly string[]): void {
    const kept = new Set([...keysByIdentifier.values()].flat());
    hub.interests.remove(
      tenantId,
      listener,
      keys.filter((key) => !kept.has(key)),
    );
  }

  /** Both frames at once: nothing of this connection can come between them. */
  function complete({ eventId, status, data }: Pair): void {
    if (told.has(eventId)) return;
    told.add(eventId);
    const [oldest] = told;
    if (told.size > toldMax && oldest) told.delete(oldest);
    send(status);
    send(data);
  }

  function send(text: string): void {
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
