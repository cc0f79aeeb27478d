import type { Actor } from "@aftercall/contract/api.ts";
import { CreateEndpoint } from "@aftercall/contract/endpoint.ts";
import { fromPublicId } from "@aftercall/contract/id.ts";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";

import type { Db } from "#/db/transaction.ts";
import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";
import { silentLog } from "#/kernel/log.ts";
import { createMetrics } from "#/kernel/metrics.ts";
import type { Resolver } from "#/kernel/net/guard.ts";
import { createGuardedHttp } from "#/kernel/net/http.ts";
import { systemRandom } from "#/kernel/random.ts";
import { createSecretBox } from "#/kernel/secrets.ts";

import { discardDatabase, ownDatabase, type TestDatabase } from "../../test/harness/database.ts";
import { type Receiver, startReceiver } from "../../test/harness/receiver.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { createEndpointBook } from "./endpoints/book.ts";
import { newHealth } from "./health/health.ts";
import { healthRules } from "./health/rules.ts";
import { lockHealth } from "./health/store.ts";
import { deliveryHandlers } from "./routes.ts";
import type { HandOff } from "./target.ts";
import { undeliveredHandlers } from "./undelivered.ts";
import { createDeliveryWorker, type DeliveryWorkerOptions } from "./worker.ts";
import { type MessageFact, writeMessages } from "./write.ts";

/**
 * For the tests of a file a database of its own, and for each of them delivery and a receiver, handed to `use` before it begins.
 * What a file undoes after its tests it registers below this, so that it is undone first.
 */
export function deliverInEachTest(
  use: (made: { delivering: Delivering; receiver: Receiver; database: TestDatabase }) => void,
  options: DeliveringOptions = {},
): void {
  let database: TestDatabase;
  let delivering: Delivering;
  let receiver: Receiver;
  beforeAll(async () => {
    database = await ownDatabase();
  });
  afterAll(() => discardDatabase(database));
  beforeEach(async () => {
    [delivering, receiver] = await Promise.all([startDelivering(database.db, options), startReceiver()]);
    use({ delivering, receiver, database });
  });
  afterEach(async () => {
    await receiver.close();
    await delivering.close();
  });
}

type DeliveringOptions = { readonly privateTargets?: string[]; readonly resolver?: Resolver };

export type Delivering = Awaited<ReturnType<typeof startDelivering>>;

/**
 * Delivery with everything real and a tenant of its own. A worker serves all tenants, so a test file has a database of its
 * own, and each test leaves nothing due behind. Workers are not started: tests go round by round with `runOnce`.
 */
export async function startDelivering(db: Db, options: DeliveringOptions = {}) {
  const clock = systemClock;
  const ids = createIds(clock);
  const box = createSecretBox("a root secret that is long enough for a test");
  const http = createGuardedHttp({
    privateTargets: options.privateTargets ?? ["127.0.0.0/8"],
    allowHttp: true,
    clock,
    ...(options.resolver && { resolver: options.resolver }),
  });
  // Registration may name any URL here; what is refused when it is dialled is a test of its own.
  const anyUrl = createGuardedHttp({ privateTargets: ["0.0.0.0/0"], allowHttp: true, clock });
  const tenant = await makeTenant(db, ids);
  const tenants = [tenant];

  const newNode = (node: string, more: Partial<DeliveryWorkerOptions> = {}) => {
    const book = createEndpointBook({ clock, box });
    const metrics = createMetrics();
    const worker = createDeliveryWorker({
      db,
      http,
      clock,
      ids,
      random: systemRandom,
      log: silentLog(),
      metrics,
      book,
      onWake: () => () => {},
      node,
      userAgent: "aftercall/test",
      ...more,
    });
    const handlers = {
      ...deliveryHandlers({
        db,
        ids,
        random: systemRandom,
        box,
        book,
        http: anyUrl,
        clock,
        userAgent: "aftercall/test",
        origin: "aftercall.example",
      }),
      ...undeliveredHandlers({ db, ids, clock, book, messageBodiesDays: 90, enqueueResend: async () => {} }),
    };
    return { node, book, worker, handlers, metrics };
  };
  const node = newNode("node-1");
  const request = { tenant, actor: owner, params: undefined, query: undefined, body: undefined } as const;

  return {
    ...node,
    db,
    ids,
    tenant,
    newNode,
    request,
    async otherTenant(): Promise<string> {
      const other = await makeTenant(db, ids);
      tenants.push(other);
      return other;
    },

    async endpoint(values: { url: string; [key: string]: unknown }, of = tenant) {
      const body = CreateEndpoint.parse(values);
      const created = await node.handlers.createEndpoint({ ...request, tenant: of, body });
      return { ...created, uuid: fromPublicId("endpoint", created.id) ?? "" };
    },
    /** Writes messages; without a worker to hand them to, all of them are left to the claim. */
    write(facts: readonly MessageFact[], roomFor: () => number = () => 0): Promise<HandOff[]> {
      const tenants = [...new Set(facts.map(({ tenantId }) => tenantId))];
      return db.inTransaction(tenants, (tx) => writeMessages(tx, facts, { ids, book: node.book, roomFor }));
    },
    /** A call to speak of, and its id. */
    async call(of = tenant): Promise<string> {
      const id = ids.next();
      await db.inTransaction([of], (tx) =>
        tx.run(
          "insert into calls (tenant_id, id, provider, provider_call_id, status, state) values ($1, $2, 'vapi', $3, 'ended', '{}')",
          [of, id, id],
        ),
      );
      return id;
    },
    fact(changes: Partial<MessageFact> = {}): MessageFact {
      return {
        tenantId: tenant,
        type: "call.completed",
        callId: null,
        campaignId: null,
        direction: "inbound",
        occurredAtMs: clock.now() + nextFact++,
        receivedAtMs: clock.now(),
        render: (format) => Buffer.from(`{"format":"${format}","text":"שלום"}`),
        ...changes,
      };
    },
    deliveries: (of = tenant) =>
      db.inTransaction([of], (tx) =>
        tx.rows<{
          id: string;
          message_id: string;
          endpoint_id: string;
          state: string;
          reason: string | null;
          attempt_count: number;
          claim_id: string | null;
          due_in_ms: number;
        }>(
          `select id, message_id, endpoint_id, state, reason, attempt_count, claim_id,
                  extract(epoch from due_at - now())::float8 * 1000 as due_in_ms from deliveries order by id`,
        ),
      ),
    attempts: (of = tenant) =>
      db.inTransaction([of], (tx) =>
        tx.rows<{ number: number; status: number; class: string; body_bytes: number; node: string }>(
          `select a.number, a.status, a.class, coalesce(length(b.response_body), 0) as body_bytes, a.node
             from attempts a left join attempt_bodies b using (tenant_id, delivery_id, number, started_at) order by a.delivery_id, a.number`,
        ),
      ),
    /** What only time or another program would do to the tables. */
    sql: <Row>(text: string, values: readonly unknown[] = [], of = tenant) =>
      db.inTransaction([of], (tx) => tx.rows<Row>(text, values)),
    health: async (endpointId: string, of = tenant) => {
      const rows = await db.inTransaction([of], (tx) => lockHealth(tx, [{ tenantId: of, endpointId }]));
      return rows[0]?.health ?? newHealth(0);
    },
    /** Lets time pass for an endpoint: all that its row says happened so much earlier. */
    age: (endpointId: string, ms: number, of = tenant) =>
      db.inTransaction([of], (tx) =>
        tx.run(
          `update endpoint_health set refilled_at = refilled_at - $2::interval, not_before = not_before - $2::interval,
                  opened_at = opened_at - $2::interval, open_until = open_until - $2::interval, closed_at = closed_at - $2::interval,
                  window_slice = window_slice - $3, watched_from = watched_from - $2::interval,
                  first_failed_at = first_failed_at - $2::interval, last_failed_at = last_failed_at - $2::interval,
                  last_succeeded_at = last_succeeded_at - $2::interval
            where endpoint_id = $1`,
          [endpointId, `${ms} milliseconds`, Math.round(ms / healthRules.sliceMs)],
        ),
      ),
    /** Lets all claims run out, as a minute does. */
    expireLeases: (of = tenant) =>
      db.inTransaction([of], (tx) =>
        tx.run("update deliveries set lease_until = now() - interval '1 second' where state = 'claimed'"),
      ),
    /** Makes waiting deliveries due, as time does. */
    makeDue: (of = tenant) =>
      db.inTransaction([of], (tx) => tx.run("update deliveries set due_at = now() where state = 'due'")),
    async close() {
      await node.worker.stop(0);
      await http.close();
      await anyUrl.close();
      for (const one of tenants) {
        await db.inTransaction([one], (tx) =>
          tx.run("update deliveries set state = 'undelivered', claim_id = null where state in ('due', 'claimed')"),
        );
      }
    },
  };
}

const owner: Actor = { kind: "api_key", id: "key_test", role: "owner" };
let nextFact = 0;
