import type { Clock } from "#/kernel/clock.ts";

export type Cache<Value> = {
  /** The value of a key, loaded at most once at a time; a load that fails is not kept. */
  get(key: string, load: () => Promise<Value>): Promise<Value>;
  clear(): void;
};

/** Keeps answers for a short time, "there is none" included. Bounded: the entries loaded longest ago go first. */
export function createCache<Value>(options: { clock: Clock; ttlMs: number; entriesMax: number }): Cache<Value> {
  const { clock, ttlMs, entriesMax } = options;
  const entries = new Map<string, { value: Promise<Value>; until: number }>();
  return {
    get(key, load) {
      const now = clock.monotonic();
      const known = entries.get(key);
      if (known && known.until > now) return known.value;
      const entry = { value: load(), until: now + ttlMs };
      entries.delete(key);
      entries.set(key, entry);
      if (entries.size > entriesMax) entries.delete(entries.keys().next().value ?? key);
      entry.value.catch(() => {
        if (entries.get(key) === entry) entries.delete(key);
      });
      return entry.value;
    },
    clear: () => entries.clear(),
  };
}
