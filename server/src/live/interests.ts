/** Who waits for what, tenant by tenant: the keys of a subscription and the keys of a change meet here. */
export type Interests<Subscriber> = {
  add(tenantId: string, subscriber: Subscriber, keys: readonly string[]): void;
  remove(tenantId: string, subscriber: Subscriber, keys: readonly string[]): void;
  /** Everybody who waits for one of the keys, each once. */
  waiting(tenantId: string, keys: readonly string[]): ReadonlySet<Subscriber>;
  isWaiting(tenantId: string, subscriber: Subscriber, keys: readonly string[]): boolean;
};

export function createInterests<Subscriber>(): Interests<Subscriber> {
  const tenants = new Map<string, Map<string, Set<Subscriber>>>();
  const nobody: ReadonlySet<Subscriber> = new Set();

  return {
    add(tenantId, subscriber, keys) {
      const byKey = tenants.get(tenantId) ?? new Map<string, Set<Subscriber>>();
      tenants.set(tenantId, byKey);
      for (const key of keys) {
        const known = byKey.get(key);
        if (known) known.add(subscriber);
        else byKey.set(key, new Set([subscriber]));
      }
    },
    remove(tenantId, subscriber, keys) {
      const byKey = tenants.get(tenantId);
      if (!byKey) return;
      for (const key of keys) {
        const known = byKey.get(key);
        known?.delete(subscriber);
        if (known?.size === 0) byKey.delete(key);
      }
      if (byKey.size === 0) tenants.delete(tenantId);
    },
    waiting(tenantId, keys) {
      const byKey = tenants.get(tenantId);
      if (!byKey) return nobody;
      const groups = keys.flatMap((key) => byKey.get(key) ?? []);
      const [only] = groups;
      return groups.length < 2 ? (only ?? nobody) : new Set(groups.flatMap((group) => [...group]));
    },
    isWaiting(tenantId, subscriber, keys) {
      const byKey = tenants.get(tenantId);
      return keys.some((key) => byKey?.get(key)?.has(subscriber));
    },
  };
}
