/** Who waits for what, tenant by tenant: the keys of a subscription and the keys of a change meet here. */
export type Interests<Subscriber> = {
  add(tenantId: string, subscriber: Subscriber, keys: readonly string[]): void;
  remove(tenantId: string, subscriber: Subscriber, keys: readonly string[]): void;
  /** Everybody who waits for one of the keys, each once. */
  waiting(tenantId: string, keys: readonly string[]): ReadonlySet<Subscriber>;
  isWaiting(tenantId: string, subscriber: Subscriber, keys: readonly string[]): boolean;
};

export function createInterests<Subscriber>(): Interests<Subscriber> {
  const tenants = new Map<string, Map<string, Group<Subscriber>>>();
  const nobody: ReadonlySet<Subscriber> = new Set();

  return {
    add(tenantId, subscriber, keys) {
      const byKey = tenants.get(tenantId) ?? new Map<string, Group<Subscriber>>();
      tenants.set(tenantId, byKey);
      for (const key of keys) {
        const group = byKey.get(key);
        if (!group) byKey.set(key, { only: subscriber });
        else if (group instanceof Set) group.add(subscriber);
        else if (group.only !== subscriber) byKey.set(key, new Set([group.only, subscriber]));
      }
    },
    remove(tenantId, subscriber, keys) {
      const byKey = tenants.get(tenantId);
      if (!byKey) return;
      for (const key of keys) {
        const group = byKey.get(key);
        if (group instanceof Set) group.delete(subscriber);
        if (group instanceof Set ? group.size === 0 : group?.only === subscriber) byKey.delete(key);
      }
      if (byKey.size === 0) tenants.delete(tenantId);
    },
    waiting(tenantId, keys) {
      const byKey = tenants.get(tenantId);
      if (!byKey) return nobody;
      const groups = keys.flatMap((key) => byKey.get(key) ?? []);
      const [first] = groups;
      if (groups.length < 2 && first instanceof Set) return first;
      return groups.length === 0 ? nobody : new Set(groups.flatMap((group) => [...membersOf(group)]));
    },
    isWaiting(tenantId, subscriber, keys) {
      const byKey = tenants.get(tenantId);
      return keys.some((key) => {
        const group = byKey?.get(key);
        return group instanceof Set ? group.has(subscriber) : group?.only === subscriber;
      });
    },
  };
}

/** Most keys are waited for by one: a set for each would be the largest part of a subscription. */
type Group<Subscriber> = Set<Subscriber> | { readonly only: Subscriber };

function membersOf<Subscriber>(group: Group<Subscriber>): Iterable<Subscriber> {
  return group instanceof Set ? group : [group.only];
}
