import type { Tx } from "#/db/transaction.ts";

/** A request that works under a key. */
export type Holder = {
  readonly tenantId: string;
  /** Id of the credential. */
  readonly actor: string;
  readonly key: string;
  /** Changes when another request takes the key over. */
  readonly holderId: string;
};

export type KeyRow = {
  readonly fingerprint: Buffer;
  readonly effected_at: Date | null;
  readonly sealed_answer: Buffer | null;
  readonly is_lapsed: boolean;
};

/**
 * Takes a key: a new one, one that has expired, or one whose request died before it had any effect and comes again. Gives
 * false when somebody else has it.
 */
export async function takeKey(
  tx: Tx,
  holder: Holder,
  options: { fingerprint: Buffer; leaseMs: number; keepMs: number },
): Promise<boolean> {
  const count = await tx.run(
    `insert into idempotency_keys as k (tenant_id, actor, key, holder_id, fingerprint, locked_until, expires_at)
     values ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond', now() + $7 * interval '1 millisecond')
     on conflict (tenant_id, actor, key) do update
        set holder_id = excluded.holder_id, fingerprint = excluded.fingerprint, locked_until = excluded.locked_until,
            expires_at = excluded.expires_at, effected_at = null, sealed_answer = null, created_at = now()
      where k.expires_at <= now() or (k.effected_at is null and k.sealed_answer is null and k.locked_until <= now()
            and k.fingerprint = excluded.fingerprint)`,
    [...holderValues(holder), options.fingerprint, options.leaseMs, options.keepMs],
    "idempotency.take",
  );
  return count === 1;
}

export async function findKey(tx: Tx, { tenantId, actor, key }: Omit<Holder, "holderId">): Promise<KeyRow | null> {
  const rows = await tx.rows<KeyRow>(
    `select fingerprint, effected_at, sealed_answer, locked_until <= now() as is_lapsed from idempotency_keys
      where tenant_id = $1 and actor = $2 and key = $3`,
    [tenantId, actor, key],
    "idempotency.find",
  );
  return rows[0] ?? null;
}

/**
 * Notes, in a transaction that is about to commit, that the request has an effect. One that only read is not noted. Gives
 * false when another request has taken the key over: then this transaction must not commit.
 */
export async function noteEffect(tx: Tx, holder: Holder): Promise<boolean> {
  const [row] = await tx.rows<{ is_writing: boolean; is_held: boolean }>(
    `with writing as materialized (select pg_current_xact_id_if_assigned() is not null as is_writing),
          held as (update idempotency_keys set effected_at = coalesce(effected_at, now())
                    where tenant_id = $1 and actor = $2 and key = $3 and holder_id = $4 and (select is_writing from writing)
                    returning 1)
     select is_writing, exists (select from held) as is_held from writing`,
    holderValues(holder),
    "idempotency.note-effect",
  );
  return row === undefined || !row.is_writing || row.is_held;
}

/** Keeps the answer for whoever sends the request again. */
export async function keepAnswer(
  tx: Tx,
  holder: Holder,
  { sealed, keepMs }: { sealed: Buffer; keepMs: number },
): Promise<void> {
  await tx.run(
    `update idempotency_keys set sealed_answer = $5, effected_at = coalesce(effected_at, now()),
            expires_at = now() + $6 * interval '1 millisecond'
      where tenant_id = $1 and actor = $2 and key = $3 and holder_id = $4`,
    [...holderValues(holder), sealed, keepMs],
    "idempotency.keep-answer",
  );
}

/** Gives a key back after a refusal, as if it had never been used. */
export async function releaseKey(tx: Tx, holder: Holder): Promise<void> {
  await tx.run(
    "delete from idempotency_keys where tenant_id = $1 and actor = $2 and key = $3 and holder_id = $4",
    holderValues(holder),
    "idempotency.release",
  );
}

/** After a failure of ours: a key whose request had no effect is given back, any other stays taken without an answer. */
export async function endKey(tx: Tx, holder: Holder): Promise<void> {
  await tx.run(
    `with gone as (delete from idempotency_keys where tenant_id = $1 and actor = $2 and key = $3 and holder_id = $4 and effected_at is null)
     update idempotency_keys set locked_until = now()
      where tenant_id = $1 and actor = $2 and key = $3 and holder_id = $4 and effected_at is not null`,
    holderValues(holder),
    "idempotency.end",
  );
}

export async function tenantsWithExpiredKeys(tx: Tx): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>("select id from lookup_tenants_with_expired_keys() as t (id)");
  return rows.map(({ id }) => id);
}

/** Removes keys whose time is over, at most `rowsMax`. */
export async function removeExpiredKeys(tx: Tx, rowsMax: number): Promise<number> {
  return tx.run(
    `delete from idempotency_keys where (tenant_id, actor, key) in
       (select tenant_id, actor, key from idempotency_keys where expires_at <= now() limit $1 for update skip locked)`,
    [rowsMax],
  );
}

function holderValues({ tenantId, actor, key, holderId }: Holder): unknown[] {
  return [tenantId, actor, key, holderId];
}
