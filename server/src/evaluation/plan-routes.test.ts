import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import type { Actor } from "@aftercall/contract/api.ts";
import { fromPublicId } from "@aftercall/contract/id.ts";
import { beforeAll, expect, test } from "vitest";

import type { Db } from "#/db/transaction.ts";
import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";

import { testDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { planHandlers } from "./plan-routes.ts";
import { publishedPlans } from "./plan-store.ts";

const ids = createIds(systemClock);
let db: Db;
beforeAll(async () => {
  ({ db } = await testDatabase());
});

async function scene() {
  const tenant = await makeTenant(db);
  const actor: Actor = { kind: "user", id: "boss", role: "admin" };
  const handlers = planHandlers({ db, ids, test: async () => null });
  const as = { tenant, actor, query: undefined };
  const at = (id: string) => ({ ...as, params: { id: fromPublicId("analysis_plan", id) ?? "" } });
  return {
    tenant,
    create: (name: string, definition: object = {}) =>
      handlers.createAnalysisPlan({
        ...as,
        params: undefined,
        body: { name, definition: PlanDefinition.parse(definition) },
      }),
    edit: (id: string, definition: object) =>
      handlers.updateAnalysisPlan({
        ...at(id),
        body: { name: undefined, definition: PlanDefinition.parse(definition) },
      }),
    publish: (id: string) => handlers.publishAnalysisPlan({ ...at(id), body: undefined }),
    draft: (id: string, from_version?: number) => handlers.draftAnalysisPlan({ ...at(id), body: { from_version } }),
    archive: (id: string) => handlers.archiveAnalysisPlan({ ...at(id), body: undefined }),
    get: (id: string) => handlers.getAnalysisPlan({ ...at(id), body: undefined }),
    order: (wanted: readonly string[]) =>
      handlers.orderAnalysisPlans({
        ...as,
        params: undefined,
        body: { ids: wanted.map((id) => fromPublicId("analysis_plan", id) ?? "") },
      }),
    list: async (limit = 25, cursor?: string) =>
      handlers.listAnalysisPlans({
        tenant,
        actor,
        params: undefined,
        body: undefined,
        query: { limit, cursor, status: undefined },
      }),
    used: async () =>
      (await db.inTransaction([tenant], (tx) => publishedPlans(tx, tenant))).map(
        ({ name, version }) => `${name} ${version}`,
      ),
  };
}

test("a plan is a draft until it is published; then it never changes, and a change is its next version", async () => {
  const one = await scene();
  const { id } = await one.create("Sales");
  await one.edit(id, { summary: { sentences_max: 3 } });
  expect(await one.used()).toEqual([]);
  expect(await one.publish(id)).toMatchObject({
    version: 1,
    status: "published",
    definition: { summary: { sentences_max: 3 } },
  });
  await expect(one.edit(id, {})).rejects.toThrow("A published plan never changes");
  await expect(one.publish(id)).rejects.toMatchObject({ status: 409 });

  expect(await one.draft(id)).toMatchObject({
    version: 2,
    status: "draft",
    definition: { summary: { sentences_max: 3 } },
  });
  await expect(one.draft(id)).rejects.toThrow("has a draft already");
  expect(await one.used()).toEqual(["Sales 1"]);
  await one.edit(id, { summary: { sentences_max: 9 } });
  await one.publish(id);
  expect(await one.used()).toEqual(["Sales 2"]);
  expect(await one.draft(id, 1)).toMatchObject({ version: 3, definition: { summary: { sentences_max: 3 } } });
  expect((await one.get(id)).versions.map(({ version, status }) => [version, status])).toEqual([
    [3, "draft"],
    [2, "published"],
    [1, "published"],
  ]);
});

test("a published version is final in the database as well", async () => {
  const one = await scene();
  const { id } = await one.create("Sales");
  await one.publish(id);
  const change = db.inTransaction([one.tenant], (tx) =>
    tx.run("update analysis_plans set definition = '{}' where tenant_id = $1", [one.tenant]),
  );
  await expect(change).rejects.toThrow("a published plan never changes");
});

test("what does not fit together is not published, and every place of it is named", async () => {
  const one = await scene();
  const { id } = await one.create("Sales", {
    fields: [{ name: "order", kind: "regex", regex: "[" }],
    rubric: { criteria: [{ id: "a", name: "A", kind: "extraction", field: "city" }] },
  });
  await expect(one.publish(id)).rejects.toMatchObject({
    status: 422,
    errors: [{ pointer: "/definition/fields/0/regex" }, { pointer: "/definition/rubric/criteria/0/field" }],
  });
  expect((await one.get(id)).versions[0]?.status).toBe("draft");
});

test("plans are tried in their order, which is that of the list and of its pages", async () => {
  const one = await scene();
  const made = [];
  for (const name of ["a", "b", "c"]) made.push(await one.create(name));
  for (const { id } of made) await one.publish(id);
  expect(await one.used()).toEqual(["a 1", "b 1", "c 1"]);
  const [a, b, c] = made.map(({ id }) => id);
  expect((await one.order([c ?? "", a ?? ""])).ids).toEqual([c, a, b]);
  expect(await one.used()).toEqual(["c 1", "a 1", "b 1"]);
  const first = await one.list(2);
  expect(first.data.map(({ name }) => name)).toEqual(["c", "a"]);
  expect((await one.list(2, first.next_cursor ?? "")).data.map(({ name }) => name)).toEqual(["b"]);
});

test("an archived plan is used no more; its versions stay, its draft goes", async () => {
  const one = await scene();
  const { id } = await one.create("Sales");
  await one.publish(id);
  await one.draft(id);
  expect((await one.archive(id)).versions.map(({ status }) => status)).toEqual(["archived"]);
  expect(await one.used()).toEqual([]);
  expect(await one.draft(id)).toMatchObject({ version: 2 });
});

test("another tenant's plan is none", async () => {
  const [mine, theirs] = [await scene(), await scene()];
  const { id } = await theirs.create("Secret");
  await expect(mine.get(id)).rejects.toMatchObject({ status: 404 });
  await expect(mine.publish(id)).rejects.toMatchObject({ status: 404 });
});

test("putting plans into order again and again keeps those that are not named as they were, at small positions", async () => {
  const { tenant, create, order } = await scene();
  const made = [await create("A"), await create("B"), await create("C")].map(({ id }) => id);
  const [a = "", b = "", c = ""] = made;
  await order([c]);
  await order([b]);
  expect(await order([b])).toEqual({ ids: [b, c, a] });
  const rows = await db.inTransaction([tenant], (tx) =>
    tx.rows("select position from analysis_plans where tenant_id = $1 order by position", [tenant]),
  );
  expect(rows).toEqual([{ position: 1 }, { position: 2 }, { position: 3 }]);
});
