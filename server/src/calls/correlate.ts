import type { Alias } from "#/providers/provider.ts";

/**
 * Sorts events into physical calls: events that share a name, directly or through others, or whose names already belong
 * to one call, are one group. Pure; `callIdOf` says which call a name belongs to so far.
 */
export function correlate<Item extends Named>(
  items: readonly Item[],
  callIdOf: (alias: string) => string | undefined,
): Group<Item>[] {
  const parents = new Map<string, string>();
  const rootOf = (node: string): string => {
    let root = node;
    for (let up = parents.get(root); up !== undefined && up !== root; up = parents.get(root)) root = up;
    parents.set(node, root);
    return root;
  };
  for (const item of items) {
    const first = nameOf(item.tenantId, item.aliases[0]);
    if (!first) continue;
    for (const alias of item.aliases) {
      const name = nameOf(item.tenantId, alias);
      const callId = callIdOf(name);
      if (!parents.has(name)) parents.set(name, name);
      parents.set(rootOf(name), rootOf(first));
      if (callId) {
        if (!parents.has(callId)) parents.set(callId, callId);
        parents.set(rootOf(callId), rootOf(first));
      }
    }
  }
  const groups = new Map<string, MutableGroup<Item>>();
  for (const item of items) {
    const first = nameOf(item.tenantId, item.aliases[0]);
    if (!first) continue;
    const root = rootOf(first);
    const group: MutableGroup<Item> = groups.get(root) ?? {
      tenantId: item.tenantId,
      items: [],
      aliases: new Map(),
      callIds: new Set(),
    };
    groups.set(root, group);
    group.items.push(item);
    for (const alias of item.aliases) {
      const name = nameOf(item.tenantId, alias);
      group.aliases.set(name, alias);
      const callId = callIdOf(name);
      if (callId) group.callIds.add(callId);
    }
  }
  return [...groups.values()].map((group) => ({ ...group, callIds: [...group.callIds].toSorted() }));
}

export type Named = { readonly tenantId: string; readonly aliases: readonly Alias[] };

export type Group<Item> = {
  readonly tenantId: string;
  readonly items: readonly Item[];
  /** Every name that was spoken of, by its text form. */
  readonly aliases: ReadonlyMap<string, Alias>;
  /** Calls that these names belong to so far, oldest first; more than one means they are one call after all. */
  readonly callIds: readonly string[];
};

type MutableGroup<Item> = { tenantId: string; items: Item[]; aliases: Map<string, Alias>; callIds: Set<string> };

/** One text per name, sortable: tenant, kind, value. */
export function nameOf(tenantId: string, alias: Alias): string;
export function nameOf(tenantId: string, alias: Alias | undefined): string | undefined;
export function nameOf(tenantId: string, alias: Alias | undefined): string | undefined {
  return alias && `${tenantId}\u0000${alias.kind}\u0000${alias.value}`;
}
