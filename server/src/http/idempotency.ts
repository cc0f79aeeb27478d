import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";

import { idempotencyKeepHours, idempotencyKeyOf } from "@aftercall/contract/idempotency.ts";

import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { AppError, Malformed } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";
import type { Log } from "#/kernel/log.ts";
import type { SecretBox } from "#/kernel/secrets.ts";

import type { Caller } from "./auth.ts";
import * as store from "./idempotency-store.ts";

/** An answer of /v1 before it is sent. */
export type ApiAnswer = { readonly status: number; readonly body: string };

export type KeyedRequest = {
  readonly caller: Caller;
  readonly key: string;
  /** From {@link fingerprintOf}: the same key for anything else is refused. */
  readonly fingerprint: Buffer;
};

export type Idempotency = {
  /**
   * Does the request, or says again what it was answered. Over all processes of the database one of any number of equal
   * requests is done; the others wait for its answer. Only successes are kept: after a refusal the key is free again.
   *
   * The effect and the note that it happened commit together, so not even a process that dies in between makes it happen twice.
   */
  answer(request: KeyedRequest, work: () => Promise<ApiAnswer>): Promise<ApiAnswer & { readonly isReplay: boolean }>;
  /** The database for the handlers: what they commit while a keyed request is answered is noted under its key. */
  readonly db: Db;
};

export type IdempotencyOptions = {
  readonly db: Db;
  readonly box: SecretBox;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
};

export function createIdempotency({ db, box, ids, clock, log }: IdempotencyOptions): Idempotency {
  const current = new AsyncLocalStorage<store.Holder>();
  return { answer, db: { inTransaction } };

  async function answer({ caller, key, fingerprint }: KeyedRequest, work: () => Promise<ApiAnswer>) {
    const holder = { tenantId: caller.tenant, actor: caller.actor.id, key, holderId: ids.next() };
    const earlier = await takeOrWait(holder, fingerprint);
    if (earlier) return { ...earlier, isReplay: true };
    try {
      const made = await current.run(holder, work);
      await keep(holder, made);
      return { ...made, isReplay: false };
    } catch (error) {
      await giveBack(holder, error);
      throw error;
    }
  }

  /** Null when the key is ours now, else the answer of the request that had it. */
  async function takeOrWait(holder: store.Holder, fingerprint: Buffer): Promise<ApiAnswer | null> {
    const until = clock.monotonic() + limits.idempotencyWaitMs;
    const options = { fingerprint, leaseMs: limits.idempotencyLeaseMs, keepMs };
    for (;;) {
      const seen = await db.inTransaction([holder.tenantId], async (tx) =>
        (await store.takeKey(tx, holder, options)) ? "taken" : store.findKey(tx, holder),
      );
      if (seen === "taken") return null;
      // Nothing there: it was given back between the two statements.
      if (seen) {
        if (!seen.fingerprint.equals(fingerprint)) throw new KeyReused();
        if (seen.sealed_answer) return openAnswer(box, holder, seen.sealed_answer);
        if (seen.effected_at && seen.is_lapsed) throw new KeyInUse("The request was done, and its answer was lost");
      }
      if (clock.monotonic() >= until) throw new KeyInUse("The first request with this key is still being answered");
      await clock.sleep(limits.idempotencyPollMs);
    }
  }

  async function inTransaction<T>(tenants: readonly string[], work: Parameters<typeof db.inTransaction<T>>[1]) {
    const holder = current.getStore();
    if (!holder || !tenants.includes(holder.tenantId)) return db.inTransaction(tenants, work);
    return db.inTransaction(tenants, async (tx) => {
      const result = await work(tx);
      if (!(await store.noteEffect(tx, holder))) throw new KeyInUse("Another request has taken this key over");
      return result;
    });
  }

  /** The request is done whatever becomes of its record, so a failure here is ours to know and not the caller's. */
  async function keep(holder: store.Holder, made: ApiAnswer): Promise<void> {
    const sealed = box.seal(Buffer.from(JSON.stringify(made)), placeOf(holder));
    await db
      .inTransaction([holder.tenantId], (tx) => store.keepAnswer(tx, holder, { sealed, keepMs }))
      .catch((error: unknown) => log.error({ err: error }, "the answer to an idempotency key was not kept"));
  }

  async function giveBack(holder: store.Holder, thrown: unknown): Promise<void> {
    const isRefusal = thrown instanceof AppError && thrown.status < 500;
    await db
      .inTransaction([holder.tenantId], (tx) => (isRefusal ? store.releaseKey(tx, holder) : store.endKey(tx, holder)))
      .catch((error: unknown) => log.warn({ err: error }, "an idempotency key was not given back; it lapses"));
  }
}

/** The key of a request; null without one. @throws Malformed when it has not the form of one, or there are two. */
export function readIdempotencyKey(values: readonly string[]): string | null {
  const [value, ...others] = values;
  if (value === undefined) return null;
  const key = others.length === 0 ? idempotencyKeyOf(value) : null;
  if (key !== null) return key;
  throw new Malformed("Send one Idempotency-Key of 1 to 255 printable ASCII characters", "idempotency_key_invalid");
}

/** What a key is bound to: the same method, path with query, and bytes. */
export function fingerprintOf(method: string, target: string, body: Buffer): Buffer {
  return createHash("sha256").update(`${method} ${target}\n`).update(body).digest();
}

/** Removes keys that nobody needs any more. Safe to run anywhere; what is left over is for the next time. */
export async function sweepIdempotencyKeys(db: Db): Promise<number> {
  const tenants = await db.inTransaction([], store.tenantsWithExpiredKeys);
  if (tenants.length === 0) return 0;
  return db.inTransaction(tenants, (tx) => store.removeExpiredKeys(tx, limits.idempotencySweepRowsMax));
}

const keepMs = idempotencyKeepHours * 3_600_000;

class KeyReused extends AppError {
  constructor() {
    super(422, "idempotency_key_reused", "This Idempotency-Key was used for another request; send a new one");
  }
}

class KeyInUse extends AppError {
  readonly retryAfterSeconds = 1;
  constructor(message: string) {
    super(409, "idempotency_key_in_use", message);
  }
}

function openAnswer(box: SecretBox, holder: store.Holder, sealed: Buffer): ApiAnswer {
  const kept: unknown = JSON.parse(box.open(sealed, placeOf(holder)).toString("utf8"));
  const isAnswer = typeof kept === "object" && kept !== null && "status" in kept && "body" in kept;
  if (!isAnswer || typeof kept.status !== "number" || typeof kept.body !== "string") {
    throw new Error("A kept answer is not one");
  }
  return { status: kept.status, body: kept.body };
}

/** Bound to the key alone: whoever reads the answer later has not the id of the request that wrote it. */
function placeOf({ tenantId, actor, key }: store.Holder) {
  return { tenant: tenantId, table: "idempotency_keys", row: `${actor} ${key}`, column: "sealed_answer" };
}
