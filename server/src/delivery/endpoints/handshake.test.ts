import { UpdateEndpoint } from "@aftercall/contract/endpoint.ts";
import { expect, test } from "vitest";

import type { AppError } from "#/kernel/errors.ts";

import type { Receiver } from "../../../test/harness/receiver.ts";
import { deliverInEachTest, type Delivering } from "../test-setup.ts";

let delivering: Delivering;
let receiver: Receiver;
deliverInEachTest((made) => {
  ({ delivering, receiver } = made);
});

/** What the receiver answers to OPTIONS; everything else is taken. */
const answerAsked = (headers: Record<string, string>, status = 200) =>
  receiver.answer(({ method }) => (method === "OPTIONS" ? { status, headers } : { status: 200 }));
const endpoint = (changes: object = {}) =>
  delivering.endpoint({ url: receiver.url, is_handshake_on: true, ...changes });
const patch = (id: string, body: unknown) =>
  delivering.handlers.updateEndpoint({ ...delivering.request, params: { id }, body: UpdateEndpoint.parse(body) });
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => "accepted" as const,
    ({ status, errors }: AppError) => [status, errors[0]?.pointer],
  );
const asked = () => receiver.received.filter(({ method }) => method === "OPTIONS");

test("201: a receiver that allows our origin is asked once, and gets messages", async () => {
  answerAsked({ "webhook-allowed-origin": "aftercall.example" });
  expect(await endpoint()).toMatchObject({ is_handshake_on: true });
  expect(asked().map(({ headers }) => headers["webhook-request-origin"])).toEqual(["aftercall.example"]);
  await delivering.write([delivering.fact()]);
  await delivering.worker.runOnce();
  expect(receiver.received.map(({ method }) => method)).toEqual(["OPTIONS", "POST"]);
});

test.each<[string, () => void]>([
  ["another origin", () => answerAsked({ "webhook-allowed-origin": "other.example" })],
  ["no origin", () => answerAsked({})],
  ["a refusal", () => answerAsked({ "webhook-allowed-origin": "*" }, 405)],
  ["a broken connection", () => receiver.answer("reset")],
])("422: %s in the answer means no, and nothing is stored or sent", async (_name, answer) => {
  answer();
  expect(await refusal(endpoint())).toEqual([422, "/url"]);
  const { data } = await delivering.handlers.listEndpoints({ ...delivering.request, query: { limit: 10 } });
  expect(data).toEqual([]);
});

test("422: a rate that the receiver does not allow names the rate; one that it allows is taken", async () => {
  const rate = { limit: 2, per_seconds: 1 };
  const origin = { "webhook-allowed-origin": "*" };
  answerAsked({ ...origin, "webhook-allowed-rate": "119" });
  expect(await refusal(endpoint({ rate }))).toEqual([422, "/rate"]);
  answerAsked(origin);
  expect(await refusal(endpoint({ rate }))).toEqual([422, "/rate"]);
  answerAsked({ ...origin, "webhook-allowed-rate": "120" });
  expect(await endpoint({ rate })).toMatchObject({ rate });
  expect(asked().at(-1)?.headers["webhook-request-rate"]).toBe("120");
});

test("PATCH: a new URL, fallback or rate is asked for again, and other changes are not", async () => {
  answerAsked({ "webhook-allowed-origin": "*" });
  const { uuid } = await endpoint();
  await patch(uuid, { description: "asked already" });
  expect(asked()).toHaveLength(1);
  await patch(uuid, { fallback_url: `${receiver.url}fallback` });
  expect(asked().map(({ path }) => path)).toEqual(["/", "/", "/fallback"]);
  answerAsked({});
  expect(await refusal(patch(uuid, { url: `${receiver.url}other` }))).toEqual([422, "/url"]);
  expect(await patch(uuid, { url: `${receiver.url}other`, is_handshake_on: false })).toMatchObject({
    url: `${receiver.url}other`,
  });
});

test("an endpoint without it is not asked", async () => {
  await delivering.endpoint({ url: receiver.url });
  expect(asked()).toEqual([]);
});
