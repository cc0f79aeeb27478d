import { eventTypeNames } from "@aftercall/contract/events.ts";
import { deliveryRoutes } from "@aftercall/contract/routes/delivery.ts";
import { eventTypeRoutes } from "@aftercall/contract/routes/event-types.ts";
import { messageRoutes } from "@aftercall/contract/routes/messages.ts";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";

import { makeKey, startApi, type TestApi } from "../../../test/harness/api.ts";
import type { Receiver } from "../../../test/harness/receiver.ts";
import { deliverInEachTest, type Delivering } from "../test-setup.ts";
import { eventTypeHandlers } from "./event-types.ts";
import { publishHandlers, sweepPublishedIds } from "./publish.ts";

let delivering: Delivering;
let receiver: Receiver;
let api: TestApi;
let admin: string;
deliverInEachTest((made) => {
  ({ delivering, receiver } = made);
});
beforeEach(async () => {
  const { db, ids, book, worker, handlers } = delivering;
  api = await startApi(
    db,
    { ...eventTypeRoutes, ...messageRoutes, ...deliveryRoutes },
    {
      ...handlers,
      ...eventTypeHandlers({ db, ids }),
      ...publishHandlers({ db, ids, clock: systemClock, book, worker: { ...worker, roomFor: () => 0 } }),
    },
  );
  admin = await makeKey(db, delivering.tenant);
});
afterEach(() => api.close());

const leadQualified = {
  name: "lead.qualified",
  title: "A lead is worth a call",
  data_schema: {
    type: "object",
    properties: { name: { type: "string", minLength: 1 }, score: { type: "integer", minimum: 0, maximum: 100 } },
    required: ["name"],
    additionalProperties: false,
  },
  examples: { en: { name: "Dana", score: 80 }, he: { name: "דנה" } },
};
const makeType = (more: object = {}) => api.ask(admin, "POST", "/v1/event-types", { ...leadQualified, ...more });
const publish = (more: object = {}) =>
  api.ask(admin, "POST", "/v1/messages", { type: "lead.qualified", data: { name: "דנה" }, ...more });
/** The fields that an answer refuses. */
const pointers = ({ json }: { json: { errors: { pointer: string }[] } }) => json.errors.map(({ pointer }) => pointer);

async function everything(path: string): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const { json } = await api.ask(admin, "GET", `${path}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    items.push(...json.data);
    cursor = json.next_cursor;
  }
  return items;
}

test("200: the catalogue lists every message of ours, by name and page by page", async () => {
  await makeType();
  const items = await everything("/v1/event-types?limit=7");
  expect(items.map(({ name }) => name)).toEqual([...eventTypeNames, "lead.qualified"].toSorted());
  const active = items.filter(({ status, origin }) => status === "active" && origin === "aftercall");
  expect(active.map(({ name }) => name)).toEqual(eventTypeNames.toSorted());
  expect(items.find(({ name }) => name === "lead.qualified")).toMatchObject({ origin: "tenant", status: "active" });
  const own = await everything("/v1/event-types?origin=tenant");
  expect(own.map(({ name }) => name)).toEqual(["lead.qualified"]);
});

test("200: a type of ours has its JSON Schema and an example in both languages", async () => {
  const { status, json } = await api.ask(admin, "GET", "/v1/event-types/call.completed");
  expect(status).toBe(200);
  expect(json).toMatchObject({
    origin: "aftercall",
    status: "active",
    kind: "ordinary",
    data_schema: { type: "object" },
  });
  expect(json.examples.he.call.city).toBe("בית שאן");
});

test("201: a type of one's own is there as it was made", async () => {
  const made = await makeType();
  expect([made.status, made.json]).toEqual([201, expect.objectContaining({ ...leadQualified, status: "active" })]);
  expect((await api.ask(admin, "GET", "/v1/event-types/lead.qualified")).json).toEqual(made.json);
});

test("404: a type that nobody has, or another tenant", async () => {
  await makeType();
  const stranger = await makeKey(delivering.db, await delivering.otherTenant());
  const ask = (method: string, body?: object) => api.ask(stranger, method, "/v1/event-types/lead.qualified", body);
  const answers = [await ask("GET"), await ask("PATCH", { title: "x" }), await ask("DELETE")];
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
  expect((await api.ask(admin, "GET", "/v1/event-types/no.thing")).status).toBe(404);
});

test("409: a name that is taken, also by an archived type, and types of ours cannot be changed", async () => {
  await makeType();
  expect((await makeType()).status).toBe(409);
  await api.ask(admin, "DELETE", "/v1/event-types/lead.qualified");
  expect((await makeType()).status).toBe(409);
  expect((await api.ask(admin, "PATCH", "/v1/event-types/call.ended", { title: "x" })).status).toBe(409);
  expect((await api.ask(admin, "DELETE", "/v1/event-types/call.ended")).status).toBe(409);
});

test.each([
  [{ name: "call.invented" }, "/name"],
  [{ name: "Lead" }, "/name"],
  [{ data_schema: { type: "strng" } }, "/data_schema/type"],
  [{ data_schema: { type: "object", properties: { a: { minLength: "1" } } } }, "/data_schema/properties/a/minLength"],
  [{ data_schema: { type: "object", properties: { a: { pattern: "^a" } } } }, "/data_schema/properties/a/pattern"],
  [{ data_schema: { type: "object", properties: { a: { $ref: "#/$defs/b" } } } }, "/data_schema/properties/a/$ref"],
  [{ examples: { en: { name: "" } } }, "/examples/en/name"],
  [{ examples: { en: {} } }, "/examples/en/name"],
  [{ title: "a\0b" }, "/title"],
  [{ nmae: 1 }, "/nmae"],
])("422: a type with %j is refused by its field %s", async (more, pointer) => {
  const answer = await makeType(more);
  expect([answer.status, pointers(answer)]).toEqual([422, expect.arrayContaining([pointer])]);
});

test("200: an archived type is hidden from lists unless asked for, and can be taken back", async () => {
  await makeType();
  const archived = await api.ask(admin, "DELETE", "/v1/event-types/lead.qualified");
  const again = await api.ask(admin, "DELETE", "/v1/event-types/lead.qualified");
  expect([archived.json.status, again.json.archived_at]).toEqual(["archived", archived.json.archived_at]);
  expect(await everything("/v1/event-types?origin=tenant")).toEqual([]);
  expect(await everything("/v1/event-types?origin=tenant&include_archived=true")).toHaveLength(1);
  const back = await api.ask(admin, "PATCH", "/v1/event-types/lead.qualified", { is_archived: false, title: "Back" });
  expect(back.json).toMatchObject({ status: "active", title: "Back", data_schema: leadQualified.data_schema });
});

test("422: an endpoint subscribes to types that are there, and not to archived ones", async () => {
  const subscribe = (types: string[]) => api.ask(admin, "POST", "/v1/endpoints", { url: receiver.url, types });
  expect(pointers(await subscribe(["call.ended", "lead.qualified", "lead.*"]))).toEqual(["/types/1", "/types/2"]);
  await makeType();
  const made = await subscribe(["lead.qualified", "lead.*"]);
  expect([made.status, made.json.types]).toEqual([201, ["lead.qualified", "lead.*"]]);
  await api.ask(admin, "DELETE", "/v1/event-types/lead.qualified");
  const change = await api.ask(admin, "PATCH", `/v1/endpoints/${made.json.id}`, { types: ["lead.qualified"] });
  expect([change.status, pointers(change)]).toEqual([422, ["/types/0"]]);
});

test("202: a published message goes to every endpoint that wants it, byte for byte, signed", async () => {
  await makeType();
  const wanting = await delivering.endpoint({ url: receiver.url, types: ["lead.*"] });
  await delivering.endpoint({ url: `${receiver.url}other`, types: ["call.ended"] });
  const { status, json } = await publish({ occurred_at: "2026-11-21T11:30:00.5+02:00" });
  expect([status, json]).toEqual([
    202,
    expect.objectContaining({ type: "lead.qualified", deliveries_count: 1, unrouted_reason: null, external_id: null }),
  ]);
  await delivering.worker.runOnce();
  const [{ headers, body }] = (await receiver.waitFor(1)) as [Receiver["received"][number]];
  expect(receiver.received).toHaveLength(1);
  expect(headers["webhook-id"]).toBe(json.id);
  expect(new Webhook(wanting.secret).verify(body, headers as Record<string, string>)).toEqual({
    type: "lead.qualified",
    timestamp: "2026-11-21T09:30:00.500Z",
    data: { name: "דנה" },
  });
  const kept = await delivering.db.inTransaction([delivering.tenant], (tx) =>
    tx.rows("select format, body from message_bodies"),
  );
  expect(kept).toEqual([{ format: "standard", body }]);
});

test("202: of two messages of one moment both are sent", async () => {
  await makeType();
  const at = { occurred_at: "2026-11-21T09:30:00Z" };
  const [one, two] = [await publish(at), await publish(at)];
  expect(one.json.id).not.toBe(two.json.id);
});

test("202: what nobody wants is kept, with the reason", async () => {
  await makeType();
  expect((await publish()).json).toMatchObject({ deliveries_count: 0, unrouted_reason: "no_endpoint" });
  await delivering.endpoint({ url: receiver.url, types: ["call.ended"] });
  expect((await publish()).json).toMatchObject({ deliveries_count: 0, unrouted_reason: "filtered" });
});

test("202: an endpoint that names channels gets messages of these alone", async () => {
  await makeType();
  await delivering.endpoint({ url: `${receiver.url}north`, types: ["lead.*"], channels: ["north", "east"] });
  await delivering.endpoint({ url: `${receiver.url}all`, types: ["lead.*"] });
  expect((await publish()).json.deliveries_count).toBe(1);
  const { json } = await publish({ channels: ["south", "north"] });
  expect([json.deliveries_count, json.channels]).toEqual([2, ["south", "north"]]);
});

test("202: the other formats show it too", async () => {
  await makeType();
  await delivering.endpoint({ url: `${receiver.url}flat`, format: "flat" });
  await delivering.endpoint({ url: `${receiver.url}thin`, payload: "thin" });
  await delivering.endpoint({ url: `${receiver.url}ce`, format: "cloudevents" });
  const { json } = await publish();
  await delivering.worker.runOnce();
  const received = new Map((await receiver.waitFor(3)).map(({ path, body }) => [path, JSON.parse(body.toString())]));
  expect(received.get("/flat")).toMatchObject({ event_type: "lead.qualified", metadata: { name: "דנה" } });
  expect(received.get("/thin").data).toEqual({ message: { id: json.id, url: `/v1/messages/${json.id}` } });
  expect(received.get("/ce")).toMatchObject({ id: json.id, type: "lead.qualified", data: { name: "דנה" } });
});

test("409: a message_id is published once, and the answer holds the first message", async () => {
  await makeType();
  const first = await publish({ message_id: "order-42" });
  const again = await publish({ message_id: "order-42", data: { name: "Other" } });
  expect([again.status, again.json.code, again.json.existing]).toEqual([409, "duplicate_message", first.json]);
  expect(first.json.external_id).toBe("order-42");
  const stranger = await makeKey(delivering.db, await delivering.otherTenant());
  await api.ask(stranger, "POST", "/v1/event-types", leadQualified);
  const theirs = await api.ask(stranger, "POST", "/v1/messages", {
    type: "lead.qualified",
    data: { name: "x" },
    message_id: "order-42",
  });
  expect(theirs.status).toBe(202);
});

test("409: of twenty at once with one message_id one is published", async () => {
  await makeType();
  await delivering.endpoint({ url: receiver.url, types: ["lead.*"] });
  const answers = await Promise.all(Array.from({ length: 20 }, () => publish({ message_id: "order-42" })));
  const made = answers.filter(({ status }) => status === 202);
  expect(made).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
  for (const { status, json } of answers) expect(status === 409 ? json.existing.id : json.id).toBe(made[0]?.json.id);
  expect(await delivering.deliveries()).toHaveLength(1);
});

test("202: a message_id is forgotten after 30 days", async () => {
  await makeType();
  await publish({ message_id: "order-42" });
  await sweepPublishedIds(delivering.db, systemClock);
  expect((await publish({ message_id: "order-42" })).status).toBe(409);
  const later = { ...systemClock, now: () => systemClock.now() + 31 * 86_400_000 };
  await sweepPublishedIds(delivering.db, later);
  expect((await publish({ message_id: "order-42" })).status).toBe(202);
});

test.each([
  [{ type: "no.thing" }, "/type"],
  [{ type: "call.completed" }, "/type"],
  [{ type: "" }, "/type"],
  [{ data: null }, "/data"],
  [{ data: [1] }, "/data"],
  [{ data: "text" }, "/data"],
  [{ data: { name: "" } }, "/data/name"],
  [{ data: { score: 80 } }, "/data/name"],
  [{ data: { name: "a", score: "80" } }, "/data/score"],
  [{ data: { name: "a", extra: 1 } }, "/data/extra"],
  [{ occurred_at: "yesterday" }, "/occurred_at"],
  [{ message_id: "two words" }, "/message_id"],
  [{ order_key: "" }, "/order_key"],
  [{ channels: ["no spaces please"] }, "/channels/0"],
  [{ chanels: [] }, "/chanels"],
])("422: a message with %j is refused by its field", async (more, pointer) => {
  await makeType();
  const answer = await publish(more);
  expect([answer.status, pointers(answer)]).toEqual([422, [pointer]]);
});

test("422: an archived type is not published any more", async () => {
  await makeType();
  await api.ask(admin, "DELETE", "/v1/event-types/lead.qualified");
  const answer = await publish();
  expect([answer.status, answer.json.errors]).toEqual([
    422,
    [{ pointer: "/type", detail: "lead.qualified is archived" }],
  ]);
});

test("413: a body over two megabytes is refused, one below is sent", async () => {
  await makeType({ data_schema: null, examples: {} });
  const fits = await publish({ data: { name: "x".repeat(2_000_000) } });
  expect(fits.status).toBe(202);
  const large = await publish({ data: { name: "x".repeat(2_097_152) } });
  expect([large.status, large.json.code]).toEqual([413, "too_large"]);
});

test("403: a viewer publishes nothing, and a member makes no types", async () => {
  const viewer = await makeKey(delivering.db, delivering.tenant, "viewer");
  const member = await makeKey(delivering.db, delivering.tenant, "member");
  const answers = [
    await api.ask(viewer, "POST", "/v1/messages", { type: "lead.qualified", data: {} }),
    await api.ask(member, "POST", "/v1/event-types", leadQualified),
  ];
  expect(answers.map(({ status }) => status)).toEqual([403, 403]);
});

test("audit: who made, changed and archived a type is written down", async () => {
  await makeType();
  await api.ask(admin, "PATCH", "/v1/event-types/lead.qualified", { title: "New" });
  await api.ask(admin, "DELETE", "/v1/event-types/lead.qualified");
  const rows = await delivering.db.inTransaction([delivering.tenant], (tx) =>
    tx.rows("select action from audit_log where subject = 'lead.qualified' order by id"),
  );
  expect(rows).toEqual([
    { action: "event_type.created" },
    { action: "event_type.updated" },
    { action: "event_type.archived" },
  ]);
});
