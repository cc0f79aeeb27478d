/** What somebody said, in its order, and a way to wait for more of it. */
export type Said<Item> = {
  readonly all: readonly Item[];
  add(item: Item): void;
  /** Resolves with the first item that fits, said already or not yet. */
  until(fits: (item: Item) => boolean): Promise<Item>;
  /** Resolves when it is so, now or after something more was said. */
  when(isSo: () => boolean): Promise<void>;
};

export function createSaid<Item>(): Said<Item> {
  const all: Item[] = [];
  const waiting = new Set<(item: Item) => void>();
  const said: Said<Item> = {
    all,
    add(item) {
      all.push(item);
      for (const look of waiting) look(item);
    },
    until: (fits) =>
      new Promise((resolve) => {
        const found = all.find(fits);
        if (found !== undefined) return resolve(found);
        const look = (item: Item) => {
          if (!fits(item)) return;
          waiting.delete(look);
          resolve(item);
        };
        waiting.add(look);
      }),
    async when(isSo) {
      if (isSo()) return;
      const { length } = all;
      await said.until(() => all.length > length && isSo());
    },
  };
  return said;
}
