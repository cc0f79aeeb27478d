import { hash } from "node:crypto";

import type { Projection } from "#/calls/project.ts";
import type { Tx } from "#/db/transaction.ts";
import { readTraceparent } from "#/kernel/traceparent.ts";
import type { Alias, CallEvent, RouteKind } from "#/providers/provider.ts";

import type { Arrival, IntakeHooks } from "./arrival.ts";
import { claimKeys } from "./store.ts";
import type { KeyClaim } from "./store.ts";

/** One event on its way through the intake transaction; what is decided about it is written down here. */
export type Entry = {
  readonly arrival: Arrival | null;
  readonly tenantId: string;
  readonly sourceId: string;
  readonly provider: string;
  readonly route: RouteKind;
  readonly mayCreateCalls: boolean;
  readonly userId: string | null;
  readonly event: CallEvent;
  readonly aliases: readonly Alias[];
  readonly part: number;
  /** The event's key, hashed where it would be too long for an index. */
  readonly key: string;
  readonly receivedAt: number;
  readonly url: string;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
  readonly verification: string;
  /** Its id in the log: proposed here, replaced by the stored one for a repeat. */
  eventId: string;
  /**
   * `new` is stored and applied; `repeat` only answered; `retry` is a repeat of one whose effect failed; `matched` was stored
   * earlier and waited for its call; `replay` is run again on purpose; `told` came over our own API and is no event.
   */
  standing: "new" | "repeat" | "retry" | "matched" | "replay" | "told";
  /** The entry of the same batch that this one repeats. */
  sameAs: Entry | null;
  training: {
    readonly sessionId: string;
    readonly communicationId: string;
    result: "claimed" | "exists" | "unknown_session";
  } | null;
  after: Projection | null;
  problem: string | null;
};

/** An entry about which nothing has been decided. */
export function undecided(
  given: Omit<Entry, "eventId" | "standing" | "sameAs" | "training" | "after" | "problem" | "aliases"> &
    Pick<Entry, "eventId" | "standing">,
): Entry {
  const event = traced(given.event, given.headers);
  return { ...given, event, aliases: event.aliases, sameAs: null, training: null, after: null, problem: null };
}

function traced(event: CallEvent, headers: Entry["headers"]): CallEvent {
  const given = headers.get("traceparent");
  const traceparent = given && readTraceparent(given);
  return traceparent ? { ...event, facts: { ...event.facts, traceparent } } : event;
}

/** Takes arrivals apart into events. */
export function entriesOf(arrivals: readonly Arrival[], newId: () => string): Entry[] {
  return arrivals.flatMap((arrival) =>
    arrival.events.map((event, part) =>
      undecided({
        arrival,
        tenantId: arrival.tenantId,
        sourceId: arrival.sourceId,
        provider: arrival.provider,
        route: arrival.route,
        mayCreateCalls: arrival.mayCreateCalls,
        userId: arrival.userId,
        event,
        part,
        key: boundedKey(event.key),
        receivedAt: arrival.receivedAt,
        url: arrival.request.url,
        headers: arrival.request.headers,
        body: arrival.request.body,
        verification: arrival.verification,
        eventId: newId(),
        standing: "new",
      }),
    ),
  );
}

/** Finds out which events are new. Equal keys of one batch are folded first: one statement must not meet a key twice. */
export async function decideStanding(tx: Tx, entries: readonly Entry[]): Promise<void> {
  const firsts = new Map<string, { entry: Entry; claim: { -readonly [K in keyof KeyClaim]: KeyClaim[K] } }>();
  for (const entry of entries) {
    const name = `${entry.tenantId} ${entry.sourceId} ${entry.key}`;
    const digest = hash("sha256", entry.body, "hex");
    const first = firsts.get(name);
    if (first) {
      first.claim.seen++;
      if (first.claim.digest !== digest) first.claim.differing++;
      entry.standing = "repeat";
      entry.sameAs = first.entry;
      entry.eventId = first.entry.eventId;
      continue;
    }
    const { tenantId, sourceId, key, eventId } = entry;
    firsts.set(name, { entry, claim: { tenantId, sourceId, key, eventId, digest, seen: 1, differing: 0 } });
  }
  const sorted = [...firsts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, first]) => first);
  const claims = await claimKeys(
    tx,
    sorted.map((first) => first.claim),
  );
  for (const [index, { entry }] of sorted.entries()) {
    const claim = claims[index];
    if (!claim || claim.eventId === entry.eventId) continue;
    entry.eventId = claim.eventId;
    entry.standing = claim.needsRetry ? "retry" : "repeat";
  }
  for (const entry of entries) if (entry.sameAs) entry.eventId = entry.sameAs.eventId;
}

/** Claims the training sessions that events ask for, in sorted order; a session is claimed by one event ever. */
export async function claimTraining(tx: Tx, entries: readonly Entry[], hooks: IntakeHooks): Promise<void> {
  const asking = entries
    .flatMap((entry) => (entry.event.training ? [{ entry, training: entry.event.training }] : []))
    .toSorted((a, b) => (a.training.sessionId < b.training.sessionId ? -1 : 1));
  if (asking.length === 0) return;
  const results = await hooks.claimSessions(
    tx,
    asking.map(({ entry, training }) => ({ tenantId: entry.tenantId, sourceId: entry.sourceId, ...training })),
  );
  for (const [index, { entry, training }] of asking.entries()) {
    entry.training = { ...training, result: results[index] ?? "unknown_session" };
  }
}

/** Keys go into an index, whose rows are bounded: a longer one is its hash. */
export function boundedKey(key: string): string {
  return Buffer.byteLength(key) <= 255 && key.isWellFormed() && !key.includes("\u0000")
    ? key
    : `sha256:${hash("sha256", key)}`;
}
