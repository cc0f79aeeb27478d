import type { EndReason } from "@aftercall/contract/live.ts";

import type { ChangeItem } from "./change-item.ts";
import type { Place } from "./cursor.ts";
import type { Pair } from "./frames.ts";

/** Whether somebody may be told of a change at all, whatever they wait for. */
export function maySee({ businessId }: Pick<Subscriber, "businessId">, item: ChangeItem): boolean {
  return businessId === null || item.businessId === businessId;
}

/** An open connection, as the hub sees it. Nothing here throws: a client that cannot be reached is gone. */
export type Subscriber = {
  readonly tenantId: string;
  /** The one end-customer whose changes it may see; null: all of the tenant. */
  readonly businessId: string | null;
  /** What it showed to get in; looked at again from time to time. */
  readonly credential: string;
  /** Whether it is told of completions in pairs, which have to be read for it. */
  readonly wantsPairs: boolean;
  /** Whether it is to be given a change at all. */
  wants(item: ChangeItem): boolean;
  /** Gives it a change that it waits for. `pair`: the completion in it. */
  take(item: ChangeItem, pair: Pair | null): void;
  /** The record `from` turned out to be the call `to`: who waits for the one waits for the other from now on. */
  follow(from: string, to: string): void;
  /** A sign of life; `place` is how far it has been told. */
  beat(place: Place): void;
  /** The database is another one. */
  reset(place: Place): void;
  /** Tells it why, and lets it go. */
  end(reason: EndReason): void;
};
