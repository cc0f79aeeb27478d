import { beforeAll, describe, expect, test } from "vitest";

import type { Change } from "#/calls/change.ts";
import { loadCall } from "#/calls/store.ts";
import { countForCampaigns, resolveCampaigns } from "#/campaigns/progress.ts";
import { insertCampaign, loadCampaign } from "#/campaigns/store.ts";
import type { Db } from "#/db/transaction.ts";
import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";
import { callEvent } from "#/providers/provider.ts";
import type { CallEvent, EventResult } from "#/providers/provider.ts";
import { createReact } from "#/reactions.ts";
import { claimSessions } from "#/training/claim.ts";

import { testDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import type { Arrival } from "./arrival.ts";
import { commitBatch } from "./commit.ts";
import type { BatchContext } from "./store-batch.ts";

const ids = createIds(systemClock);
const log = { warn: () => {} };
let db: Db;
beforeAll(async () => {
  ({ db } = await testDatabase());
});

describe("a batch of webhooks", () => {
  test("stores each event once, however often it is sent at the same time", async () => {
    const { tenantId, arrival, context, changes } = await scene();
    const copies = Array.from({ length: 100 }, () => arrival(ended("k1", "call-1")));
    const all = await Promise.all(
      [0, 1, 2, 3].map((n) => commitBatch({ db, context, log }, copies.slice(n * 25, n * 25 + 25))),
    );
    const results = all.flat().map((one) => (one.ok ? one.outcome[0] : undefined));
    expect(results.filter((one) => one?.effect === "applied")).toHaveLength(1);
    expect(results.filter((one) => one?.effect === "repeat")).toHaveLength(99);
    expect(await count("events", tenantId)).toBe(1);
    expect(await column("select seen_count from event_keys where tenant_id = $1", tenantId)).toEqual([100]);
    expect(changes.filter((change) => change.type === "call.ended")).toHaveLength(1);
  });

  test("makes one call of two events that come at the same moment", async () => {
    const { tenantId, arrival, context } = await scene();
    const names = Array.from({ length: 20 }, (_, n) => arrival(event(`k${n}`, `call-1`)));
    const all = await Promise.all(names.map((one) => commitBatch({ db, context, log }, [one])));
    const calls = new Set(all.flat().map((one) => (one.ok ? one.outcome[0]?.call?.id : "failed")));
    expect(calls.size).toBe(1);
    expect(await count("calls", tenantId)).toBe(1);
  });

  test("merges two records when an event carries the names of both, and keeps every event", async () => {
    const { tenantId, arrival, context } = await scene();
    const first = await one(context, arrival(event("a", "CA1")));
    await one(context, arrival(event("b", "conv-1", "conversation_id")));
    const both = event("c", "conv-1", "conversation_id");
    const merged = await one(
      context,
      arrival({
        ...both,
        aliases: [...both.aliases, { kind: "generic", value: "CA1" }],
        heard: { status: "ended", outcome: "completed" },
      }),
    );
    expect(merged?.call).toMatchObject({ id: first?.call?.id, status: "ended" });
    expect(
      await column("select count(*)::int from calls where tenant_id = $1 and merged_into is null", tenantId),
    ).toEqual([1]);
    expect(await count("events", tenantId)).toBe(3);
  });

  test("keeps an event that may not create a call, and lets it wait", async () => {
    const { tenantId, arrival, context } = await scene();
    const result = await one(context, { ...arrival(ended("k", "nobody")), mayCreateCalls: false });
    expect(result).toMatchObject({ effect: "unmatched", call: null });
    expect(await count("unmatched_events", tenantId)).toBe(1);
    expect(await count("calls", tenantId)).toBe(0);
  });

  test("counts a repeat with another body as differing, and keeps the first", async () => {
    const { tenantId, arrival, context } = await scene();
    await one(context, arrival(event("k", "c"), "first"));
    expect(await one(context, arrival(event("k", "c"), "second"))).toMatchObject({ effect: "repeat" });
    expect(await column("select differing_count from event_keys where tenant_id = $1", tenantId)).toEqual([1]);
    expect(await column("select convert_from(body, 'UTF8') from events where tenant_id = $1", tenantId)).toEqual([
      "first",
    ]);
  });

  test("answers a repeat by what the first one did, whatever the repeat itself says", async () => {
    const { arrival, context } = await scene();
    const first = await one(context, arrival(ended("k", "call-1")));
    const again = await one(context, arrival({ ...event("k", "another-call") }, "{ }"));
    expect(again).toMatchObject({ effect: "repeat", call: { id: first?.call?.id, status: "ended" } });
  });

  test("with one member the database refuses stores that one unapplied and the others whole", async () => {
    const { tenantId, arrival, context } = await scene();
    const poison = event("poison", "p");
    const results = await commitBatch({ db, context, log }, [
      arrival(ended("a", "c1")),
      arrival({ ...poison, facts: { started_at: 9e14 } }),
      arrival(ended("b", "c2")),
    ]);
    expect(results.map((one) => one.ok && one.outcome[0]?.effect)).toEqual(["applied", "recorded", "applied"]);
    expect(results[1]).toMatchObject({ ok: true, outcome: [{ problem: expect.any(String) }] });
    expect(await count("events", tenantId)).toBe(3);
  });

  test("keeps text that PostgreSQL refuses: NUL and half a surrogate pair", async () => {
    const { tenantId, arrival, context } = await scene();
    const result = await one(
      context,
      arrival({
        ...ended("k", "c"),
        facts: { summary: "a\u0000b\ud800שלום" },
        transcript: { text: "x\u0000", turns: [], language: null },
      }),
    );
    expect(result).toMatchObject({ effect: "applied", problem: null });
    expect(await column("select state->'facts'->'summary'->>0 from calls where tenant_id = $1", tenantId)).toEqual([
      "a\uFFFDb\uFFFDשלום",
    ]);
  });

  test("announces the end of a call once, and its completion once the promised report is there", async () => {
    const { arrival, context, changes } = await scene();
    await one(context, arrival({ ...ended("k1", "c"), awaitsReport: true }));
    expect(types(changes)).toEqual(["call.started", "call.ended", "call.awaiting"]);
    await one(context, arrival({ ...ended("k2", "c"), isReport: true, facts: { summary: "done" } }));
    expect(types(changes).slice(3)).toEqual(["call.updated", "call.settled"]);
    await one(context, arrival({ ...ended("k3", "c"), facts: { summary: "more" } }));
    expect(types(changes).slice(5)).toEqual(["call.updated"]);
  });

  test("says call.failed, and never call.ended or call.completed, for a call that nobody answered", async () => {
    const { arrival, context, changes } = await scene();
    await one(
      context,
      arrival({ ...event("k", "c"), heard: { status: "ended", outcome: "no_answer" }, isReport: true }),
    );
    expect(types(changes)).toEqual(["call.started", "call.failed"]);
  });
});

describe("a campaign", () => {
  test("completes once when its last two calls end at the same moment", async () => {
    const { tenantId, arrival, context, changes } = await scene();
    const campaignId = ids.next();
    await db.inTransaction([tenantId], (tx) =>
      insertCampaign(tx, { tenantId, id: campaignId, externalId: "x", name: "X", plannedCount: null }),
    );
    const calls = Array.from({ length: 8 }, (_, n) => `c${n}`);
    for (const call of calls) await one(context, arrival({ ...event(`q-${call}`, call), facts: { campaign: "x" } }));
    expect(await db.inTransaction([tenantId], (tx) => loadCampaign(tx, tenantId, campaignId))).toMatchObject({
      total_count: 8,
      queued_count: 8,
      status: "running",
    });
    await Promise.all(calls.map((call) => commitBatch({ db, context, log }, [arrival(ended(`e-${call}`, call))])));
    const after = await db.inTransaction([tenantId], (tx) => loadCampaign(tx, tenantId, campaignId));
    expect(after).toMatchObject({
      total_count: 8,
      ended_count: 8,
      queued_count: 0,
      completed_outcome_count: 8,
      status: "completed",
    });
    expect(changes.filter((change) => change.type === "campaign.completed")).toHaveLength(1);
  });

  test("is not complete while planned contacts are still to be called", async () => {
    const { tenantId, arrival, context } = await scene();
    const campaignId = ids.next();
    await db.inTransaction([tenantId], (tx) =>
      insertCampaign(tx, { tenantId, id: campaignId, externalId: "p", name: "P", plannedCount: 2 }),
    );
    await one(context, arrival({ ...ended("k1", "c1"), facts: { campaign: "p" } }));
    expect(await db.inTransaction([tenantId], (tx) => loadCampaign(tx, tenantId, campaignId))).toMatchObject({
      status: "running",
    });
    await one(context, arrival({ ...ended("k2", "c2"), facts: { campaign: "p" } }));
    expect(await db.inTransaction([tenantId], (tx) => loadCampaign(tx, tenantId, campaignId))).toMatchObject({
      status: "completed",
    });
  });

  test("that nobody created is made from the name its calls use", async () => {
    const { tenantId, arrival, context } = await scene();
    const result = await one(context, arrival({ ...ended("k", "c"), facts: { campaign: "9b3b0f3e" } }));
    const id = await column<string>(
      "select id from campaigns where tenant_id = $1 and external_id = '9b3b0f3e'",
      tenantId,
    );
    const [callId] = await column<string>("select id from calls where tenant_id = $1", tenantId);
    expect((await db.inTransaction([tenantId], (tx) => loadCall(tx, tenantId, callId ?? "")))?.campaignId).toBe(id[0]);
    expect(result?.effect).toBe("applied");
  });
});

async function scene() {
  const tenantId = await makeTenant(db);
  const sourceId = ids.next();
  await db.inTransaction([tenantId], (tx) =>
    tx.run("insert into sources (tenant_id, id, slug, provider, name) values ($1, $2, $3, 'generic', 'test')", [
      tenantId,
      sourceId,
      `s-${sourceId}`,
    ]),
  );
  const changes: Change[] = [];
  const follow = createReact({
    announce: async () => ({}),
    countForCampaigns: async (tx, seen) => {
      const completed = await countForCampaigns(tx, seen);
      changes.push(...completed);
      return { changes: completed };
    },
    sendMessages: async () => ({}),
    settleLater: async () => ({}),
    workOnCalls: async () => ({}),
    queueFeedback: async () => ({}),
    rescoreTraining: async () => ({}),
  });
  const context: BatchContext = {
    newId: () => ids.next(),
    now: () => systemClock.now(),
    reread: async () => null,
    settling: "at_once",
    hooks: {
      react: async (tx, seen) => {
        changes.push(...seen);
        return follow(tx, seen);
      },
      resolveCampaigns: (tx, names) => resolveCampaigns(tx, names, () => ids.next()),
      claimSessions,
    },
  };
  const arrival = (spoken: CallEvent, body = "{}"): Arrival => ({
    tenantId,
    sourceId,
    provider: "generic",
    route: "own",
    mayCreateCalls: true,
    userId: null,
    request: {
      method: "POST",
      url: "https://x/webhooks/s",
      headers: new Map([["content-type", ["application/json"]]]),
      body: Buffer.from(body),
    },
    receivedAt: systemClock.now(),
    verification: "none",
    events: [spoken],
  });
  return { tenantId, arrival, context, changes };
}

async function one(context: BatchContext, arrival: Arrival): Promise<EventResult | undefined> {
  const [settled] = await commitBatch({ db, context, log }, [arrival]);
  if (!settled?.ok) throw new Error(settled?.message);
  return settled.outcome[0];
}

function event(key: string, call: string, kind: "generic" | "conversation_id" = "generic"): CallEvent {
  return callEvent({
    key,
    type: "t",
    aliases: [{ kind, value: call }],
    occurredAt: 1_772_461_399_000,
    heard: { status: "queued", outcome: null },
  });
}

function ended(key: string, call: string): CallEvent {
  return { ...event(key, call), heard: { status: "ended", outcome: "completed" } };
}

const types = (changes: readonly Change[]) => changes.map((change) => change.type);

async function count(table: string, tenantId: string): Promise<number> {
  const [n] = await column<number>(`select count(*)::int from ${table} where tenant_id = $1`, tenantId);
  return n ?? -1;
}

async function column<Value>(text: string, tenantId: string): Promise<Value[]> {
  const rows = await db.inTransaction([tenantId], (tx) => tx.rows<Record<string, Value>>(text, [tenantId]));
  return rows.flatMap((row) => Object.values(row));
}
