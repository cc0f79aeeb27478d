import { CreateEndpoint } from "@aftercall/contract/endpoint.ts";
import { expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { createGuardedHttp } from "#/kernel/net/http.ts";
import { systemRandom } from "#/kernel/random.ts";
import { createSecretBox } from "#/kernel/secrets.ts";

import type { Receiver } from "../../test/harness/receiver.ts";
import { openLoopback } from "../../test/harness/tenant.ts";
import { endpointHandlers } from "./endpoints/routes.ts";
import { deliverInEachTest, type Delivering } from "./test-setup.ts";

let delivering: Delivering;
let receiver: Receiver;
deliverInEachTest(
  (made) => {
    ({ delivering, receiver } = made);
  },
  { privateTargets: [] },
);

test("what is open to tenant A does nothing for tenant B, though both send to the same address from one process", async () => {
  const { tenant, endpoint, fact, write, worker, otherTenant, attempts, deliveries } = delivering;
  const other = await otherTenant();
  await openLoopback(delivering.db, tenant);
  await endpoint({ url: receiver.url });
  await endpoint({ url: receiver.url }, other);
  for (let round = 1; round <= 3; round++) {
    await write([fact(), fact({ tenantId: other })]);
    await worker.runOnce();
    expect(receiver.received).toHaveLength(round);
  }
  expect((await attempts()).map((one) => one.class)).toEqual(["ok", "ok", "ok"]);
  expect((await attempts(other)).map((one) => one.class)).toEqual([
    "blocked_target",
    "blocked_target",
    "blocked_target",
  ]);
  // No storm: the next attempt is the schedule's.
  for (const { due_in_ms: dueInMs } of await deliveries(other)) expect(dueInMs).toBeGreaterThan(3_000);
});

test("what is closed again is closed for the next attempt", async () => {
  const { tenant, endpoint, fact, write, worker, book, attempts } = delivering;
  await openLoopback(delivering.db, tenant);
  await endpoint({ url: receiver.url });
  await write([fact()]);
  await worker.runOnce();
  await delivering.db.inTransaction([tenant], (tx) => tx.run("delete from private_targets"));
  book.forget(tenant);
  await write([fact()]);
  await worker.runOnce();
  expect(receiver.received).toHaveLength(1);
  expect((await attempts()).map((one) => one.class)).toEqual(["ok", "blocked_target"]);
});

test("422: a tenant registers a private address only while it is open to them, metadata addresses never", async () => {
  const { tenant, request, ids, book, otherTenant } = delivering;
  const http = createGuardedHttp({ privateTargets: [], allowHttp: true, clock: systemClock });
  const box = createSecretBox("a root secret that is long enough for a test");
  const handlers = endpointHandlers({
    db: delivering.db,
    ids,
    random: systemRandom,
    box,
    book,
    http,
    origin: "aftercall.example",
  });
  const register = (of: string, url: string) =>
    handlers.createEndpoint({ ...request, tenant: of, body: CreateEndpoint.parse({ url }) }).then(
      () => 201,
      (error: { status: number }) => error.status,
    );
  const other = await otherTenant();
  await delivering.db.inTransaction([tenant], (tx) =>
    tx.run("insert into private_targets (tenant_id, block, granted_by) values ($1, '0.0.0.0/0', 'test')", [tenant]),
  );
  expect(await register(tenant, "http://10.1.2.3/hook")).toBe(201);
  expect(await register(tenant, "http://169.254.169.254/latest")).toBe(422);
  expect(await register(other, "http://10.1.2.3/hook")).toBe(422);
  await http.close();
});
