import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import type { Tx } from "#/db/transaction.ts";
import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";
import { silentLog } from "#/kernel/log.ts";
import { createMetrics } from "#/kernel/metrics.ts";

import { discardDatabase, ownDatabase, type TestDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { type RetentionDays, runRetention } from "./run.ts";

let database: TestDatabase;
let tenant: string;
beforeAll(async () => {
  database = await ownDatabase();
});
beforeEach(async () => {
  tenant = await makeTenant(database.db);
});
afterAll(() => discardDatabase(database));

const ids = createIds(systemClock);
const days: RetentionDays = {
  attempts: 30,
  attemptBodies: 7,
  messageBodies: 90,
  deliveries: 365,
  eventKeys: 90,
  quarantine: 30,
  engineCosts: 400,
  engineAnswers: 30,
  analysisJobs: 90,
};
const run = (changes: Partial<RetentionDays> = {}, metrics = createMetrics()) =>
  runRetention(
    { db: database.db, log: silentLog(), metrics, days: { ...days, ...changes } },
    new AbortController().signal,
  );
const as = <Value>(work: (tx: Tx) => Promise<Value>) => database.db.inTransaction([tenant], work);
const countOf = async (table: string) =>
  (await as((tx) => tx.rows<{ count: number }>(`select count(*)::int as count from ${table}`)))[0]?.count;
const partitions = async (parent: string) => {
  const { rows } = await database.ownerPool.query<{ name: string }>(
    "select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = $1::regclass order by 1",
    [parent],
  );
  return rows.map(({ name }) => name);
};
const dayName = (parent: string, daysFromToday: number) =>
  `${parent}_until_${new Date(Date.now() + (daysFromToday + 1) * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "")}`;

type Made = { messageId: string; deliveryId: string };

/** A message with one delivery, as old as it is said. */
async function make(ageDays: number, state: "delivered" | "undelivered" | "due"): Promise<Made> {
  const [messageId, deliveryId, endpointId] = [ids.next(), ids.next(), ids.next()];
  await as(async (tx) => {
    const age = "now() - $1 * interval '1 day'";
    await tx.run(
      "insert into endpoints (tenant_id, id, url, types, schedule_ms) values ($1, $2, 'https://example.com/', '{*}', '{}')",
      [tenant, endpointId],
    );
    await tx.run(
      `insert into messages (tenant_id, id, type, occurred_at, received_at, created_at) values ($2, $3, 'call.ended', ${age}, ${age}, ${age})`,
      [ageDays, tenant, messageId],
    );
    await tx.run("insert into message_bodies (tenant_id, message_id, format, body) values ($1, $2, 'standard', '{}')", [
      tenant,
      messageId,
    ]);
    await tx.run(
      `insert into deliveries (tenant_id, id, message_id, endpoint_id, state, reason, created_at, finished_at)
       values ($2, $3, $4, $5, $6, case when $6 = 'undelivered' then 'exhausted' end, ${age}, case when $6 <> 'due' then ${age} end)`,
      [ageDays, tenant, deliveryId, messageId, endpointId, state],
    );
  });
  return { messageId, deliveryId };
}

const attempt = (deliveryId: string, startedAt: Date) =>
  as(async (tx) => {
    await tx.run(
      `insert into attempts (tenant_id, delivery_id, number, started_at, duration_ms, status, class, node) values ($1, $2, 1, $3, 1, 200, 'ok', 'n')`,
      [tenant, deliveryId, startedAt],
    );
    await tx.run(
      "insert into attempt_bodies (tenant_id, delivery_id, number, started_at, response_body) values ($1, $2, 1, $3, 'ok')",
      [tenant, deliveryId, startedAt],
    );
  });
const inDays = (count: number) => new Date(Date.now() + count * 86_400_000);

test("today and the seven days after it have their partitions, and the metric says so", async () => {
  const metrics = createMetrics();
  await run({}, metrics);
  const made = await partitions("attempts");
  for (let day = 0; day <= 7; day++) expect(made).toContain(dayName("attempts", day));
  expect((await partitions("attempt_bodies")).filter((name) => name !== "attempt_bodies_rest")).toEqual(
    Array.from({ length: 8 }, (_, day) => dayName("attempt_bodies", day)),
  );
  expect(await metrics.registry.metrics()).toContain("aftercall_attempt_days_ahead 7");
});

test("an attempt is never lost for want of a partition, and goes into its day when that is made", async () => {
  const { deliveryId } = await make(0, "delivered");
  await attempt(deliveryId, inDays(20));
  await attempt(deliveryId, inDays(3));
  const inPartition = async (name: string) =>
    (await database.ownerPool.query(`select from partitions.${name}`)).rowCount;
  expect(await inPartition("attempts_rest")).toBe(1);
  await database.ownerPool.query("select prepare_attempt_days(21)");
  expect(await inPartition("attempts_rest")).toBe(0);
  expect(await inPartition(dayName("attempts", 20))).toBe(1);
  expect(await countOf("attempts")).toBe(2);
  expect(await countOf("attempt_bodies")).toBe(2);
});

test("days that are over are dropped whole, answers before attempts, and their space is free at once", async () => {
  const { deliveryId } = await make(0, "delivered");
  for (const parent of ["attempts", "attempt_bodies"]) await makePastDay(parent, 10);
  await attempt(deliveryId, inDays(-10));
  await attempt(deliveryId, inDays(0));
  await run();
  expect(await partitions("attempt_bodies")).not.toContain(dayName("attempt_bodies", -10));
  expect(await countOf("attempt_bodies")).toBe(1);
  expect(await countOf("attempts")).toBe(2);
  await run({ attempts: 9 });
  expect(await partitions("attempts")).not.toContain(dayName("attempts", -10));
  expect(await countOf("attempts")).toBe(1);
});

test("a version before this one goes on writing its attempts, answers beside them", async () => {
  const { deliveryId } = await make(0, "delivered");
  await as((tx) =>
    tx.run(
      `insert into attempts (tenant_id, delivery_id, number, started_at, duration_ms, status, class, error, response_headers, response_body, node)
       values ($1, $2, 1, now(), 1, 500, 'http_5xx', null, '{}', 'no', 'old') on conflict do nothing`,
      [tenant, deliveryId],
    ),
  );
  expect(await countOf("attempts")).toBe(1);
});

test("old payloads are removed, newer ones stay, and so does every payload that still has to be sent", async () => {
  const old = await make(91, "delivered");
  const undelivered = await make(91, "undelivered");
  const waiting = await make(91, "due");
  const recent = await make(89, "delivered");
  expect(await run()).toMatchObject({ "message bodies": 2 });
  const left = await as((tx) =>
    tx.rows<{ id: string; has_body: boolean; is_expired: boolean }>(
      `select m.id, exists (select from message_bodies b where b.message_id = m.id) as has_body, m.expired_at is not null as is_expired
         from messages m`,
    ),
  );
  const of = ({ messageId }: Made) => left.find(({ id }) => id === messageId);
  for (const one of [old, undelivered]) expect(of(one)).toMatchObject({ has_body: false, is_expired: true });
  for (const one of [waiting, recent]) expect(of(one)).toMatchObject({ has_body: true, is_expired: false });
  await as((tx) =>
    tx.run("update deliveries set state = 'delivered', finished_at = now() where id = $1", [waiting.deliveryId]),
  );
  expect(await run()).toMatchObject({ "message bodies": 1 });
});

test("rows of what ended long ago are removed in the end, and nothing that is younger", async () => {
  await make(400, "delivered");
  await make(400, "undelivered");
  await make(100, "delivered");
  expect(await run()).toMatchObject({ "message bodies": 3, deliveries: 2, messages: 2 });
  expect([await countOf("messages"), await countOf("deliveries")]).toEqual([1, 1]);
});

test("a delivery is listed at least as long as its attempts and its payload", async () => {
  await make(50, "delivered");
  await run({ deliveries: 1, messageBodies: 40, attempts: 60 });
  expect(await countOf("deliveries")).toBe(1);
});

test("keys of webhooks and refused requests are bounded in time; a key that is still in use stays", async () => {
  const source = ids.next();
  const old = "now() - interval '100 days'";
  await as(async (tx) => {
    await tx.run("insert into sources (tenant_id, id, slug, provider, name) values ($1, $2, $3, 'generic', '')", [
      tenant,
      source,
      `s-${source}`,
    ]);
    for (const [key, seen] of [
      ["old", old],
      ["in-use", "now()"],
    ]) {
      await tx.run(
        `insert into event_keys (tenant_id, source_id, key, event_id, body_digest, first_seen_at, last_seen_at)
         values ($1, $2, $3, $4, '', ${old}, ${seen})`,
        [tenant, source, key, ids.next()],
      );
    }
    for (const at of [old, "now()"]) {
      await tx.run(
        `insert into quarantine (tenant_id, id, source_id, provider, route, reason, method, url, headers, sealed_headers, body, received_at)
         values ($1, $2, $3, 'generic', 'own', 'signature', 'POST', '/', '{}', '', '', ${at})`,
        [tenant, ids.next(), source],
      );
    }
  });
  expect(await run()).toMatchObject({ "event keys": 1, "refused requests": 1 });
  expect(await as((tx) => tx.rows("select key from event_keys"))).toEqual([{ key: "in-use" }]);
});

test("costs, kept answers, previews and what is left of analyses of many calls go after their days; what shows or can be undone stays", async () => {
  const [call, plan, old, promoted, young] = [ids.next(), ids.next(), ids.next(), ids.next(), ids.next()];
  const ago = (age: number) => `now() - interval '${age} days'`;
  await as(async (tx) => {
    await tx.run(
      "insert into calls (tenant_id, id, provider, provider_call_id, status, state) values ($1, $2, 'vapi', 'x', 'ended', '{}')",
      [tenant, call],
    );
    for (const age of [401, 1]) {
      await tx.run(
        `insert into engine_costs (tenant_id, id, step, provider, unit, quantity, at) values ($1, $2, 'analyse', 'openai', 'call', 1, ${ago(age)})`,
        [tenant, ids.next()],
      );
    }
    for (const age of [31, 1]) {
      await tx.run(
        `insert into engine_answers (tenant_id, call_id, step, input_hash, answer, engine, created_at) values ($1, $2, 'analyse', $3, '{}', '{}', ${ago(age)})`,
        [tenant, call, Buffer.from([age])],
      );
    }
    for (const [id, age] of [[old, 91] as const, [promoted, 91] as const, [young, 1] as const]) {
      const run = ids.next();
      await tx.run(
        `insert into analysis_jobs (tenant_id, id, kind, plan_id, plan_version, sections, filter, state, rate_per_minute, concurrency, estimate, actor, finished_at)
         values ($1, $2, 'bulk', $3, 1, '{}', '{}', 'done', 1, 1, '{}', 'test', ${ago(age)})`,
        [tenant, id, plan],
      );
      await tx.run(
        `insert into analysis_runs (tenant_id, id, call_id, plan_id, plan_version, plan_name, trigger, status, input_hash, sections, created_at)
         values ($1, $2, $3, $4, 1, 'P', $5, 'succeeded', '', '{}', ${ago(age)})`,
        [tenant, run, call, plan, id === promoted ? "bulk" : "preview"],
      );
      await tx.run(
        "insert into analysis_job_calls (tenant_id, job_id, call_id, state, run_id) values ($1, $2, $3, 'done', $4)",
        [tenant, id, call, run],
      );
    }
    await tx.run("insert into analysis_promotions (tenant_id, id, job_id, actor) values ($1, $2, $3, 'test')", [
      tenant,
      ids.next(),
      promoted,
    ]);
  });
  expect(await run()).toMatchObject({
    "costs of engines": 1,
    "answers of engines": 1,
    "calls of analysis jobs": 2,
    previews: 1,
    "analysis jobs": 1,
  });
  expect(await countOf("analysis_runs")).toBe(2);
  const left = await as((tx) =>
    tx.rows<{ id: string }>("select id from analysis_jobs where tenant_id = $1 order by id", [tenant]),
  );
  expect(left.map(({ id }) => id)).toEqual([promoted, young]);
  expect([await countOf("engine_costs"), await countOf("engine_answers")]).toEqual([1, 1]);
});

test("a part that fails is an alarm, and the others have their turn all the same", async () => {
  const metrics = createMetrics();
  const lines: unknown[] = [];
  const log = { ...silentLog(), error: (line: unknown) => lines.push(line) } as never;
  await make(91, "delivered");
  const broken = {
    inTransaction: <T>(tenants: readonly string[], work: (tx: Tx) => Promise<T>) =>
      database.db.inTransaction(tenants, (tx) =>
        work({
          ...tx,
          rows: (text, values, name) => {
            if (text.includes("prepare_attempt_days")) throw new Error("no disk");
            return tx.rows(text, values, name);
          },
        }),
      ),
  };
  const failed = runRetention({ db: broken, log, metrics, days }, new AbortController().signal);
  await expect(failed).rejects.toThrow("Not all of retention could be done");
  expect(lines).toEqual([{ part: "days made ready", reason: "no disk" }]);
  expect(await metrics.registry.metrics()).toContain('aftercall_retention_runs_total{result="failed"} 1');
  expect(await countOf("message_bodies")).toBe(0);
});

test("the application cannot reach a day past its parent, where no wall of tenants stands", async () => {
  await expect(database.appPool.query("select from partitions.attempts_rest")).rejects.toMatchObject({ code: "42501" });
  await expect(database.appPool.query("drop table attempts")).rejects.toMatchObject({ code: "42501" });
});

/** A day that was made when it was today. */
async function makePastDay(parent: string, daysAgo: number): Promise<void> {
  const name = dayName(parent, -daysAgo);
  const legacy = parent === "attempts" ? dayName(parent, 0) : null;
  const client = await database.ownerPool.connect();
  try {
    const at = (count: number) => `${inDays(count).toISOString().slice(0, 10)} 00:00:00+00`;
    if (legacy !== null) {
      await client.query(`alter table ${parent} detach partition partitions.${legacy}`);
      await client.query(
        `alter table ${parent} attach partition partitions.${legacy} for values from ('${at(0)}') to ('${at(1)}')`,
      );
    }
    await client.query(
      `create table partitions.${name} partition of ${parent} for values from ('${at(-daysAgo)}') to ('${at(1 - daysAgo)}')`,
    );
  } finally {
    client.release();
  }
}
