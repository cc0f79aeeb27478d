import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid } from "../harness/customer.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const newCall = () => ({ provider: "vapi", provider_call_id: newUuid() });

test("200: a change of a call may be followed by the next with the ETag that the first was answered with", async () => {
  const customer = await makeCustomer(app);
  const { id } = await customer.post("/v1/calls", newCall());
  let etag = (await customer.ask("GET", `/v1/calls/${id}`)).headers.get("etag") ?? "";
  for (const crm of [1, 2, 3]) {
    const answer = await fetch(`${app.url}/v1/calls/${id}`, {
      method: "PATCH",
      headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json", "if-match": etag },
      body: JSON.stringify({ metadata: { crm } }),
    });
    expect(answer.status).toBe(200);
    expect(await customer.get(`/v1/calls/${id}`)).toEqual(await answer.json());
    etag = answer.headers.get("etag") ?? "";
  }
});

test("201: a registered call is answered as it is read afterwards, and so are those of a campaign", async () => {
  const customer = await makeCustomer(app);
  const made = await customer.post("/v1/calls", newCall());
  expect(await customer.get(`/v1/calls/${made.id}`)).toEqual(made);
  const campaign = await customer.post("/v1/campaigns", { name: "Spring" });
  const { data } = await customer.post(`/v1/campaigns/${campaign.id}/calls`, { calls: [newCall(), newCall()] });
  for (const call of data) expect(await customer.get(`/v1/calls/${call.id}`)).toEqual(call);
});

test("the log tells of a changed call what it was and became: the ids in other systems, of metadata the keys", async () => {
  const customer = await makeCustomer(app);
  const { id } = await customer.post("/v1/calls", { ...newCall(), business_id: "10", metadata: { crm: "Dana" } });
  const change = {
    business_id: "11",
    lead_id: "lead-7",
    customer_name: "Dana Levi",
    metadata: { crm: null, tier: "gold" },
  };
  expect((await customer.ask("PATCH", `/v1/calls/${id}`, change)).status).toBe(200);
  const { data } = await customer.get(`/v1/audit-log?subject=${id}`);
  const [entry] = data.filter(({ action }: { action: string }) => action === "call.updated");
  expect(entry).toMatchObject({
    before: { business_id: "10", lead_id: null, metadata_keys: ["crm"], version: 1 },
    after: { business_id: "11", lead_id: "lead-7", metadata_keys: ["tier"], version: 2 },
  });
  expect(JSON.stringify(entry)).not.toMatch(/Dana|gold/);
});

test("200: calls are listed by the id that their campaign has in another system", async () => {
  const customer = await makeCustomer(app);
  for (const external of [`spring-${newUuid()}`, newUuid()]) {
    const campaign = await customer.post("/v1/campaigns", { name: "Spring", external_id: external });
    const { id } = await customer.post("/v1/calls", { ...newCall(), campaign: external });
    for (const name of [external, campaign.id]) {
      const { data } = await customer.get(`/v1/calls?campaign=${name}`);
      expect(data.map((call: { id: string }) => call.id)).toEqual([id]);
    }
    const stranger = await makeCustomer(app);
    expect((await stranger.get(`/v1/calls?campaign=${external}`)).data).toEqual([]);
  }
});
