import pg from "pg";

import { connectionFrom, openAppPool } from "../../server/src/db/connect.ts";
import { migrate } from "../../server/src/db/migrate.ts";
import { createDb, type Db } from "../../server/src/db/transaction.ts";
import { claim, type ClaimContext } from "../../server/src/delivery/claim.ts";
import { createEndpointBook } from "../../server/src/delivery/endpoints/book.ts";
import { sealSecret } from "../../server/src/delivery/endpoints/secrets.ts";
import { createMarks } from "../../server/src/delivery/marks.ts";
import { newSecret } from "../../server/src/delivery/sign.ts";
import { systemClock as clock } from "../../server/src/kernel/clock.ts";
import { createIds } from "../../server/src/kernel/ids.ts";
import { limits } from "../../server/src/kernel/limits.ts";
import { createLog } from "../../server/src/kernel/log.ts";
import { systemRandom } from "../../server/src/kernel/random.ts";
import { createSecretBox } from "../../server/src/kernel/secrets.ts";

/** A database with 20 endpoints, due deliveries and some ballast, in which claims can be made. */
export type ClaimSubject = {
  /** Milliseconds of a claim of 50. They count as delivered afterwards. */
  claim(): Promise<number>;
  stop(): Promise<void>;
};

export type Ballast = {
  readonly fill: (run: Run) => Promise<void>;
  /** Something is read at the beginning and stays open, as a backup or a long report does. */
  readonly hasOldSnapshot?: boolean;
};

export type Run = (sql: string, values?: readonly unknown[]) => Promise<unknown>;

const rowsPerClaim = 50;
export const endpoints = 20;
const ids = createIds(clock);
const box = createSecretBox("a root secret for measuring claims only", systemRandom);

export const addEndpoints = `insert into endpoints (tenant_id, id, url, types, schedule_ms, in_flight_max)
  select $1, gen_random_uuid(), 'https://example.com/' || $2 || n, '{*}', '{5000}', 100 from generate_series(1, $3) n`;

/** `claims`: how many will be made. */
export async function prepareClaims(
  url: string,
  { fill, hasOldSnapshot = false }: Ballast,
  claims: number,
): Promise<ClaimSubject> {
  await migrate({ connection: connectionFrom(url) });
  const pool = openAppPool({
    connection: connectionFrom(url),
    name: "bench",
    log: createLog({ level: "error" }),
    mayExit: true,
  });
  const db = createDb(pool);
  const tenant = ids.next();
  await db.inTransaction([tenant], (tx) =>
    tx.run("insert into tenants (id, slug, name) values ($1, 'bench', 'bench')", [tenant]),
  );
  const run: Run = (sql, values = []) => db.inTransaction([tenant], (tx) => tx.run(sql, [tenant, ...values]));
  await run(addEndpoints, ["good", endpoints]);
  await fillDue(run, claims);
  await fill(run);
  await giveSecrets(db, tenant);
  await settle(url);
  const reader = new pg.Client(connectionFrom(url));
  await reader.connect();
  if (hasOldSnapshot) await reader.query("begin isolation level repeatable read; select count(*) from tenants");
  return {
    claim: claimer(db, tenant),
    async stop() {
      await reader.end();
      await pool.end();
    },
  };
}

/** First attempts that are due, some more than all claims take. */
async function fillDue(run: Run, claims: number): Promise<void> {
  const messages = Math.ceil(((claims + 20) * rowsPerClaim * 1.3) / endpoints);
  await run(
    `insert into messages (tenant_id, id, type, occurred_at, received_at) select $1, gen_random_uuid(), 'call.ended', now(), now()
       from generate_series(1, $2::int)`,
    [messages],
  );
  await run(
    "insert into message_bodies (tenant_id, message_id, format, body) select tenant_id, id, 'standard', repeat('x', 3000)::bytea from messages where tenant_id = $1",
  );
  await run(
    `insert into deliveries (tenant_id, id, message_id, endpoint_id, state) select m.tenant_id, gen_random_uuid(), m.id, e.id, 'due'
       from messages m cross join endpoints e where m.tenant_id = $1`,
  );
}

async function giveSecrets(db: Db, tenant: string): Promise<void> {
  await db.inTransaction([tenant], async (tx) => {
    for (const { id } of await tx.rows<{ id: string }>("select id from endpoints")) {
      const secret = sealSecret(box, ids, tenant, newSecret(systemRandom));
      await tx.run("insert into endpoint_secrets (tenant_id, id, endpoint_id, sealed) values ($1, $2, $3, $4)", [
        tenant,
        secret.id,
        id,
        secret.sealed,
      ]);
    }
  });
}

/** What autovacuum and the checkpointer do in their time, so that they do not do it while claims are measured. */
async function settle(url: string): Promise<void> {
  const client = new pg.Client(connectionFrom(url));
  await client.connect();
  await client.query("vacuum (analyze) deliveries");
  await client.query("vacuum (analyze) messages");
  // Not every server lets us.
  await client.query("checkpoint").catch(() => {});
  await client.end();
}

function claimer(db: Db, tenant: string): () => Promise<number> {
  const room = { total: rowsPerClaim, fresh: rowsPerClaim, retry: rowsPerClaim };
  const context: ClaimContext = {
    db,
    ids,
    book: createEndpointBook({ clock, box }),
    bytesFree: () => limits.deliveryBytesMax,
    marks: createMarks(clock),
    retries: () => Number.POSITIVE_INFINITY,
    workers: () => 1,
    room: { free: room, freeOf: () => room, knownRoom: () => new Map() },
  };
  return async () => {
    const startedAt = clock.monotonic();
    const { items } = await claim(context);
    const ms = clock.monotonic() - startedAt;
    if (items.length !== rowsPerClaim) throw new Error(`a claim took ${items.length} deliveries`);
    const claimed = items.map(({ deliveryId }) => deliveryId);
    await db.inTransaction([tenant], (tx) =>
      tx.run(
        "update deliveries set state = 'delivered', claim_id = null, lease_until = null where tenant_id = $1 and id = any ($2::uuid[])",
        [tenant, claimed],
      ),
    );
    return ms;
  };
}
