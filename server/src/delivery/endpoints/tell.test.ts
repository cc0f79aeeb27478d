import { RotateEndpointSecret, UpdateEndpoint } from "@aftercall/contract/endpoint.ts";
import { eventTypeOf } from "@aftercall/contract/events.ts";
import { expect, test } from "vitest";

import type { Receiver } from "../../../test/harness/receiver.ts";
import { deliverInEachTest, type Delivering } from "../test-setup.ts";

let delivering: Delivering;
let receiver: Receiver;
deliverInEachTest((made) => {
  ({ delivering, receiver } = made);
});

const url = "https://hooks.example.com/a";
const patch = (id: string, body: unknown) =>
  delivering.handlers.updateEndpoint({ ...delivering.request, params: { id }, body: UpdateEndpoint.parse(body) });

test("operational endpoints hear of every change of the others, once, in the shape the catalogue says", async () => {
  const { handlers, request, worker } = delivering;
  await delivering.endpoint({ url: receiver.url, kind: "operational" });
  const { uuid, id } = await delivering.endpoint({ url, description: "CRM" });
  await patch(uuid, { description: "ERP" });
  await patch(uuid, { is_enabled: false });
  await patch(uuid, { is_enabled: false });
  await patch(uuid, { is_enabled: true, timeout_ms: 5_000 });
  const body = RotateEndpointSecret.parse({ grace_seconds: 60 });
  const { secrets } = await handlers.rotateEndpointSecret({ ...request, params: { id: uuid }, body });
  await handlers.deleteEndpoint({ ...request, params: { id: uuid } });
  await worker.runOnce();

  const told = receiver.received.map((one) => JSON.parse(one.body.toString()) as { type: string; data: object });
  expect(told.map(({ type }) => type).toSorted()).toEqual([
    "endpoint.created",
    "endpoint.deleted",
    "endpoint.disabled",
    "endpoint.enabled",
    "endpoint.secret_rotated",
    "endpoint.updated",
    "endpoint.updated",
  ]);
  for (const { type, data } of told) {
    expect(eventTypeOf(type)?.data.parse(data)).toEqual(data);
    expect(data).toMatchObject({ endpoint: { id, url } });
  }
  const dataOf = (type: string) => told.find((one) => one.type === type)?.data;
  expect(dataOf("endpoint.disabled")).toMatchObject({ reason: "user" });
  expect(dataOf("endpoint.secret_rotated")).toMatchObject({ old_secrets_end_at: secrets[1]?.expires_at });
  expect(JSON.stringify(told)).not.toContain("whsec_");
});

test("an operational endpoint is not told of itself, and without one nobody is", async () => {
  const { worker, deliveries } = delivering;
  await delivering.endpoint({ url });
  const { uuid } = await delivering.endpoint({ url: receiver.url, kind: "operational" });
  await patch(uuid, { description: "x" });
  await worker.runOnce();
  expect(receiver.received).toEqual([]);
  expect(await deliveries()).toEqual([]);
});

test("a change that is refused is told to nobody", async () => {
  const { worker } = delivering;
  await delivering.endpoint({ url: receiver.url, kind: "operational" });
  await delivering.endpoint({ url, uid: "a" });
  await expect(delivering.endpoint({ url, uid: "a" })).rejects.toMatchObject({ status: 409 });
  await worker.runOnce();
  expect(receiver.received).toHaveLength(1);
});
