import type { Actor } from "@aftercall/contract/api.ts";

import type { Tx } from "#/db/transaction.ts";
import type { Ids } from "#/kernel/ids.ts";

import { insertAudit } from "./store.ts";

/** What somebody did. `action` is `noun.past_tense`; `detail` holds no secrets and no content of calls. */
export type Deed = {
  readonly tenant: string;
  readonly actor: Actor;
  readonly action: string;
  /** The thing it was done to, by its public id. */
  readonly subject: string;
  readonly detail?: Readonly<Record<string, unknown>>;
};

/** Writes a deed down inside the change it describes: both commit or neither does. */
export async function record(tx: Tx, ids: Ids, deed: Deed): Promise<void> {
  const actor = `${deed.actor.kind}:${deed.actor.id}`;
  await insertAudit(tx, { ...deed, id: ids.next(), actor, detail: deed.detail ?? {} });
}
