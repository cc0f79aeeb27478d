import { isDeepStrictEqual } from "node:util";

import type { Actor } from "@aftercall/contract/api.ts";

import type { Tx } from "#/db/transaction.ts";
import type { Ids } from "#/kernel/ids.ts";

import { insertAudit } from "./store.ts";

/** A thing as the API shows it, without its secrets. */
type Shown = object;

/** What somebody did. `action` is `noun.past_tense`; `detail` holds no secrets and no content of calls. */
export type Deed = {
  readonly tenant: string;
  readonly actor: Actor;
  readonly action: string;
  /** The thing it was done to, by its public id. */
  readonly subject: string;
  /** The thing before and after, as the API shows it. With both, only what is different is kept. */
  readonly before?: Shown | null;
  readonly after?: Shown | null;
  readonly detail?: Readonly<Record<string, unknown>>;
};

/** Writes a deed down inside the change it describes: both commit or neither does. */
export async function record(tx: Tx, ids: Ids, deed: Deed): Promise<void> {
  const { tenant, actor, action, subject, detail = {} } = deed;
  await insertAudit(tx, {
    tenant,
    id: ids.next(),
    actor: `${actor.kind}:${actor.id}`,
    action,
    subject,
    detail,
    ...differenceOf(deed.before ?? null, deed.after ?? null),
    address: actor.from?.address ?? null,
    request_id: actor.from?.requestId ?? null,
  });
}

type Sides = {
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
};

/** Of two shown things the fields that are not the same; one alone is kept whole. */
function differenceOf(before: Shown | null, after: Shown | null): Sides {
  if (!before || !after) return { before: before && { ...before }, after: after && { ...after } };
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const names = [...new Set([...old.keys(), ...now.keys()])].filter(
    (name) => !isDeepStrictEqual(old.get(name), now.get(name)),
  );
  const side = (values: ReadonlyMap<string, unknown>) =>
    Object.fromEntries(names.filter((name) => values.has(name)).map((name) => [name, values.get(name)]));
  return { before: side(old), after: side(now) };
}
