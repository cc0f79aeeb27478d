import type { Campaign } from "@aftercall/contract/campaign.ts";
import type { Message } from "@aftercall/contract/message.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Clock, systemClock } from "#/kernel/clock.ts";
import { limits } from "#/kernel/limits.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { type Customer, makeCustomer, newUuid } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";

/** On which what the server does every minute comes five times in a second. */
const clock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms === limits.erasureSweepMs ? 200 : ms, signal),
};

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({}, { clock });
});
afterAll(() => app.stop());

/** A campaign of some registered calls, and Vapi to speak of them. */
async function withCampaign(size: number, changes: Record<string, unknown> = {}) {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  const made: Campaign = await customer.post("/v1/campaigns", { name: "Spring", ...changes });
  const ids = Array.from({ length: size }, () => newUuid());
  for (const id of ids) {
    await customer.post("/v1/calls", { provider: "vapi", provider_call_id: id, campaign: made.id });
  }
  const campaign = (): Promise<Campaign> => customer.get(`/v1/campaigns/${made.id}`);
  const completions = async (): Promise<Message[]> =>
    (await customer.get("/v1/messages?limit=100&type=campaign.completed")).data;
  const say = (type: string, id: string) => vapi.given({ type, call: { id } });
  return { customer, ids, campaign, completions, say };
}

test("no calls yet: nothing changes", async () => {
  const { campaign, completions } = await withCampaign(0);
  expect(await campaign()).toMatchObject({ status: "running", completed_at: null, progress: { total: 0, active: 0 } });
  expect(await completions()).toEqual([]);
});

test("active calls are the queued, ringing and in-progress ones; the last one to end completes the campaign", async () => {
  const { ids, campaign, completions, say } = await withCampaign(3);
  const [a = "", b = "", c = ""] = ids;
  await say("call.ringing", b);
  await say("call.answered", c);
  expect((await campaign()).progress).toMatchObject({
    total: 3,
    active: 3,
    statuses: { queued: 1, ringing: 1, in_progress: 1, ended: 0 },
  });
  await say("call.ended", a);
  await say("call.failed", b);
  expect(await campaign()).toMatchObject({
    status: "running",
    progress: { total: 3, active: 1, statuses: { in_progress: 1, ended: 1, failed: 1 }, outcomes: { failed: 1 } },
  });
  expect(await completions()).toEqual([]);

  await say("call.ended", c);
  const done = await campaign();
  expect(done).toMatchObject({
    status: "completed",
    progress: { total: 3, active: 0, statuses: { ended: 2, failed: 1 } },
  });
  expect(Math.abs(Date.parse(done.completed_at ?? "") - Date.now())).toBeLessThan(60_000);

  await say("call.ended", c);
  await say("call.ringing", a);
  expect(await campaign()).toEqual(done);
  expect(await completions()).toHaveLength(1);
});

test("two last calls that end at the same moment complete the campaign once", async () => {
  for (let round = 0; round < 5; round++) {
    const { ids, campaign, completions, say } = await withCampaign(2);
    await Promise.all(ids.map((id) => say("call.ended", id)));
    expect(await campaign()).toMatchObject({ status: "completed", progress: { active: 0, statuses: { ended: 2 } } });
    expect(await completions()).toHaveLength(1);
  }
});

test("fifty calls through all their states at once, repeated: the counters are exact", async () => {
  const { customer, ids, campaign, completions, say } = await withCampaign(25);
  const words = ["call.ringing", "call.answered", "call.ended"];
  const all = ids.flatMap((id) => [...words, ...words].map((type) => ({ type, id })));
  await Promise.all(all.map(({ type, id }) => say(type, id)));
  const { status, progress } = await campaign();
  expect([status, progress.total, progress.active, progress.statuses["ended"]]).toEqual(["completed", 25, 0, 25]);
  expect((await customer.calls()).every((call) => call.status === "ended")).toBe(true);
  expect(await completions()).toHaveLength(1);
});

test.each(["on request", "for its age"])(
  "a call that is erased %s before its end is over, holds no campaign open, and nothing that is told of it moves either",
  async (cause) => {
    const { customer, ids, campaign, completions, say } = await withCampaign(3);
    const [open = "", ringing = "", last = ""] = ids;
    await say("call.ringing", ringing);
    await say("call.answered", open);
    const calls = await customer.calls();
    const path = `/v1/calls/${calls.find(({ provider_call_id: id }) => id === open)?.id}`;
    if (cause === "on request") await customer.ask("DELETE", path);
    else await growOld(customer, open);
    expect(await customer.get(path)).toMatchObject({ status: "timeout", outcome: null });
    expect((await campaign()).progress).toMatchObject({
      total: 3,
      active: 2,
      statuses: { in_progress: 0, timeout: 1 },
    });

    await say("call.ended", open);
    await say("call.failed", ringing);
    expect(await completions()).toEqual([]);
    const { id } = calls.find((call) => call.provider_call_id === last) ?? {};
    await customer.ask("DELETE", `/v1/calls/${id}`);
    expect(await campaign()).toMatchObject({
      status: "completed",
      progress: {
        total: 3,
        active: 0,
        statuses: { queued: 0, ringing: 0, in_progress: 0, ended: 0, failed: 1, timeout: 2 },
      },
    });
    expect(await completions()).toHaveLength(1);
    await say("call.ended", last);
    await customer.ask("DELETE", path);
    expect(await completions()).toHaveLength(1);
    expect((await campaign()).progress.total).toBe(3);
  },
);

/** As if a call had not been heard of for longer than its tenant keeps calls; resolves when the server has found it. */
async function growOld(customer: Customer, providerCallId: string): Promise<void> {
  const { tenantId } = customer;
  await customer.ask("PUT", "/v1/retention", { recordings_days: null, content_days: 30 });
  await app.db.inTransaction([tenantId], (tx) =>
    tx.run("update calls set updated_at = now() - interval '31 days' where tenant_id = $1 and provider_call_id = $2", [
      tenantId,
      providerCallId,
    ]),
  );
  while ((await customer.get("/v1/erasures")).data.length === 0) await systemClock.sleep(20);
}

test("while planned contacts are left the campaign is not complete", async () => {
  const { customer, ids, campaign, say } = await withCampaign(1, { planned_count: 2 });
  await say("call.ended", ids[0] ?? "");
  expect(await campaign()).toMatchObject({ status: "running", progress: { total: 1, active: 0, planned: 2 } });
  const second = newUuid();
  await customer.post("/v1/calls", { provider: "vapi", provider_call_id: second, campaign: (await campaign()).id });
  expect((await campaign()).status).toBe("running");
  await say("call.ended", second);
  expect((await campaign()).status).toBe("completed");
});

test("a call that the provider puts in a campaign by its own name counts there", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  const external = "9b3b0f3e-6f5b-4a0e-8b60-9e3b8a7a1f77";
  const made: Campaign = await customer.post("/v1/campaigns", { name: "Known to Vapi", external_id: external });
  const ids = { [fixtureIds.vapiCall]: newUuid() };
  await vapi.own(fixture("vapi", "real/status-update.in-progress.json", ids));
  const of = (id: string): Promise<Campaign> => customer.get(`/v1/campaigns/${id}`);
  expect((await of(made.id)).progress).toMatchObject({ total: 1, active: 1 });
  await vapi.own(fixture("vapi", "real/end-of-call-report.json", ids));
  expect(await of(made.id)).toMatchObject({ status: "completed", progress: { total: 1, active: 0 } });
  const { data } = await customer.get(`/v1/calls?campaign=${made.id}`);
  expect(data).toMatchObject([{ campaign_id: made.id, status: "ended" }]);
});

test("calls that are one after all are counted once", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  const twilio = await customer.connect("twilio");
  const made: Campaign = await customer.post("/v1/campaigns", { name: "Merged" });
  const vapiCall = newUuid();
  await customer.post("/v1/calls", { provider: "vapi", provider_call_id: vapiCall, campaign: made.id });
  await customer.post("/v1/calls", {
    provider: "twilio",
    provider_call_id: fixtureIds.callSid,
    campaign: made.id,
  });
  await twilio.given(fixture("twilio", "real/status.1-ringing.txt", { [fixtureIds.accountSid]: twilio.keyId }));
  const campaign = (): Promise<Campaign> => customer.get(`/v1/campaigns/${made.id}`);
  expect((await campaign()).progress).toMatchObject({ total: 2, active: 2 });
  await vapi.given(fixture("vapi", "real/status-update.in-progress.json", { [fixtureIds.vapiCall]: vapiCall }));
  expect((await campaign()).progress).toMatchObject({ total: 1, active: 1, statuses: { in_progress: 1, ringing: 0 } });
  await vapi.given(fixture("vapi", "real/end-of-call-report.json", { [fixtureIds.vapiCall]: vapiCall }));
  expect(await campaign()).toMatchObject({ status: "completed", progress: { total: 1, statuses: { ended: 1 } } });
});
