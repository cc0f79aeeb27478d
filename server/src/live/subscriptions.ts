import type { Identified } from "./identify.ts";
import type { Interests } from "./interests.ts";
import type { Subscriber } from "./subscriber.ts";

/** What one socket waits for, identifier by identifier; several may mean one call. */
export type Subscriptions = {
  readonly count: () => number;
  has(identifier: string): boolean;
  add(wanted: Identified): void;
  /** An identifier means this call, whatever names its changes have. */
  bind(identifier: string, callId: string): void;
  /** The record `from` turned out to be the call `to`. */
  follow(from: string, to: string): void;
  remove(identifier: string): void;
  clear(): void;
};

export function createSubscriptions(subscriber: Subscriber, interests: Interests<Subscriber>): Subscriptions {
  const { tenantId } = subscriber;
  const keysByIdentifier = new Map<string, string[]>();

  return {
    count: () => keysByIdentifier.size,
    has: (identifier) => keysByIdentifier.has(identifier),
    add({ identifier, keys }) {
      if (!keysByIdentifier.has(identifier)) keysByIdentifier.set(identifier, [...keys]);
      interests.add(tenantId, subscriber, keys);
    },
    bind(identifier, callId) {
      const keys = keysByIdentifier.get(identifier);
      if (keys) wait(keys, callId);
    },
    follow(from, to) {
      for (const keys of keysByIdentifier.values()) if (keys.includes(`call ${from}`)) wait(keys, to);
    },
    remove(identifier) {
      const keys = keysByIdentifier.get(identifier) ?? [];
      keysByIdentifier.delete(identifier);
      // Another identifier may wait for the same.
      const kept = new Set([...keysByIdentifier.values()].flat());
      interests.remove(
        tenantId,
        subscriber,
        keys.filter((key) => !kept.has(key)),
      );
    },
    clear() {
      interests.remove(tenantId, subscriber, [...keysByIdentifier.values()].flat());
      keysByIdentifier.clear();
    },
  };

  function wait(keys: string[], callId: string): void {
    const key = `call ${callId}`;
    if (keys.includes(key)) return;
    keys.push(key);
    interests.add(tenantId, subscriber, [key]);
  }
}
