import { expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";

import { testDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { record } from "./record.ts";

const { db } = await testDatabase();
const ids = createIds(systemClock);

test("a deed is written down with the change it describes, or neither is", async () => {
  const tenant = await makeTenant(db);
  const deed = { tenant, actor: { kind: "api_key", id: "key_1", role: "admin" }, subject: "ep_1" } as const;
  await db.inTransaction([tenant], (tx) =>
    record(tx, ids, { ...deed, action: "endpoint.created", detail: { url: "https://a" } }),
  );
  const failing = db.inTransaction([tenant], async (tx) => {
    await record(tx, ids, { ...deed, action: "endpoint.deleted" });
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  const rows = await db.inTransaction([tenant], (tx) =>
    tx.rows("select actor, action, subject, detail from audit_log"),
  );
  expect(rows).toEqual([
    { actor: "api_key:key_1", action: "endpoint.created", subject: "ep_1", detail: { url: "https://a" } },
  ]);
});

test("what was done cannot be unwritten, and nobody else's deeds are seen", async () => {
  const [tenant, other] = [await makeTenant(db), await makeTenant(db)];
  await db.inTransaction([tenant], (tx) =>
    record(tx, ids, { tenant, actor: { kind: "system", id: "test", role: "owner" }, action: "a.b", subject: "s" }),
  );
  await expect(db.inTransaction([tenant], (tx) => tx.run("delete from audit_log"))).rejects.toMatchObject({
    code: "42501",
  });
  expect(await db.inTransaction([other], (tx) => tx.rows("select from audit_log"))).toEqual([]);
});
