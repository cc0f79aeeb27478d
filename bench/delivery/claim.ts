import pg from "pg";

import { connectionFrom, openAppPool } from "../../server/src/db/connect.ts";
import { migrate } from "../../server/src/db/migrate.ts";
import { createDb, type Db } from "../../server/src/db/transaction.ts";
import { claim, type ClaimContext } from "../../server/src/delivery/claim.ts";
import { createEndpointBook } from "../../server/src/delivery/endpoints/book.ts";
import { sealSecret } from "../../server/src/delivery/endpoints/secrets.ts";
import { newSecret } from "../../server/src/delivery/sign.ts";
import { systemClock as clock } from "../../server/src/kernel/clock.ts";
import { createIds } from "../../server/src/kernel/ids.ts";
import { createLog } from "../../server/src/kernel/log.ts";
import { systemRandom } from "../../server/src/kernel/random.ts";
import { createSecretBox } from "../../server/src/kernel/secrets.ts";
import { type Latency, latencyOf } from "../load/percentiles.ts";
import type { Database } from "../machine/database.ts";

export type ClaimCase = Latency & { readonly name: string };

/**
 * How long a claim takes while much else is in the tables, in milliseconds. Every case has a database of its own with the same
 * 20 endpoints and the same due deliveries, and some ballast that must cost nothing; the first has none.
 */
export async function measureClaims(database: Database, claims: number): Promise<ClaimCase[]> {
  const measured: ClaimCase[] = [];
  for (const one of cases) {
    const url = await database.create(databaseName);
    measured.push({ name: one.name, ...latencyOf(await measure(url, one, claims)) });
    await database.drop(databaseName);
  }
  return measured;
}

const databaseName = "bench_claim";
const rowsPerClaim = 50;
const endpoints = 20;
const ids = createIds(clock);
const box = createSecretBox("a root secret for measuring claims only", systemRandom);

type Run = (sql: string, values?: readonly unknown[]) => Promise<unknown>;
type Case = {
  readonly name: string;
  readonly ballast: (run: Run) => Promise<void>;
  /** Reads something at the beginning and stays open, as a backup or a long report does. */
  readonly hasOldSnapshot?: boolean;
};

const addEndpoints = `insert into endpoints (tenant_id, id, url, types, schedule_ms, in_flight_max)
  select $1, gen_random_uuid(), 'https://example.com/' || $2 || n, '{*}', '{5000}', 100 from generate_series(1, $3) n`;
const ballastOf = `insert into deliveries (tenant_id, id, message_id, endpoint_id, cause, state, attempt_count, due_at, claim_id, lease_until)
  select $1, gen_random_uuid(), (select id from messages limit 1), e.id, 'ballast ' || n, $2, $3, now() - interval '1 minute',
         case when $2 = 'claimed' then gen_random_uuid() end, case when $2 = 'claimed' then now() + interval '1 hour' end
    from endpoints e cross join generate_series(1, $4) n where e.url like $5`;

const cases: readonly Case[] = [
  { name: "nothing else", ballast: async () => {} },
  {
    name: "1,000,000 finished deliveries",
    ballast: async (run) => {
      for (let i = 0; i < 10; i++)
        await run(ballastOf.replaceAll("'ballast '", `'ballast ${i} '`), [
          "delivered",
          1,
          100_000 / endpoints,
          "%good%",
        ]);
    },
  },
  {
    name: "one endpoint that asked for a pause, 200,000 waiting",
    ballast: async (run) => {
      await run(addEndpoints, ["paused", 1]);
      for (let i = 0; i < 4; i++)
        await run(ballastOf.replaceAll("'ballast '", `'ballast ${i} '`), ["due", 1, 50_000, "%paused%"]);
      await run(`update endpoint_health h set not_before = now() + interval '1 hour' from endpoints e
                  where $1::uuid is not null and e.id = h.endpoint_id and e.url like '%paused%'`);
    },
  },
  {
    name: "500 endpoints that hang, 40 waiting for each",
    ballast: async (run) => {
      await run(addEndpoints, ["hanging", 500]);
      await run(
        "update endpoints set order_mode = 'skip', in_flight_max = 2 where $1::uuid is not null and url like '%hanging%'",
      );
      await run(ballastOf, ["due", 0, 40, "%hanging%"]);
      await run(ballastOf.replaceAll("'ballast '", "'claimed '"), ["claimed", 0, 2, "%hanging%"]);
    },
  },
  {
    name: "a transaction open since the beginning",
    ballast: async () => {},
    hasOldSnapshot: true,
  },
  {
    name: "the 20 endpoints have a rate",
    ballast: async (run) => {
      await run(
        "update endpoints set rate_limit = 10000, rate_per_seconds = 1, rate_burst = 10000 where $1::uuid is not null",
      );
    },
  },
];

async function measure(url: string, { ballast, hasOldSnapshot = false }: Case, claims: number): Promise<Float64Array> {
  await migrate({ connection: connectionFrom(url) });
  const pool = openAppPool({
    connection: connectionFrom(url),
    name: "bench",
    log: createLog({ level: "error" }),
    mayExit: true,
  });
  try {
    const db = createDb(pool);
    const tenant = ids.next();
    await db.inTransaction([tenant], (tx) =>
      tx.run("insert into tenants (id, slug, name) values ($1, 'bench', 'bench')", [tenant]),
    );
    const run: Run = (sql, values = []) => db.inTransaction([tenant], (tx) => tx.run(sql, [tenant, ...values]));
    await run(addEndpoints, ["good", endpoints]);
    await fillDue(run, claims);
    await ballast(run);
    await giveSecrets(db, tenant);
    await analyze(url);
    const reader = new pg.Client(connectionFrom(url));
    await reader.connect();
    if (hasOldSnapshot) await reader.query("begin isolation level repeatable read; select count(*) from tenants");
    const samples = await claimAll(db, tenant, claims);
    await reader.end();
    return samples;
  } finally {
    await pool.end();
  }
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

/** What autovacuum does in its time. */
async function analyze(url: string): Promise<void> {
  const client = new pg.Client(connectionFrom(url));
  await client.connect();
  await client.query("vacuum (analyze) deliveries; ");
  await client.end();
}

async function claimAll(db: Db, tenant: string, claims: number): Promise<Float64Array> {
  const room = { total: rowsPerClaim, fresh: rowsPerClaim, retry: rowsPerClaim };
  const context: ClaimContext = {
    db,
    ids,
    book: createEndpointBook({ clock, box }),
    workers: () => 1,
    room: { free: room, freeOf: () => room, knownRoom: () => new Map() },
  };
  const samples: number[] = [];
  for (let i = -20; i < claims; i++) {
    const startedAt = clock.monotonic();
    const { items } = await claim(context);
    if (i >= 0) samples.push(clock.monotonic() - startedAt);
    if (items.length !== rowsPerClaim) throw new Error(`a claim took ${items.length} deliveries`);
    const claimed = items.map(({ deliveryId }) => deliveryId);
    await db.inTransaction([tenant], (tx) =>
      tx.run(
        "update deliveries set state = 'delivered', claim_id = null, lease_until = null where tenant_id = $1 and id = any ($2::uuid[])",
        [tenant, claimed],
      ),
    );
  }
  return Float64Array.from(samples);
}
