import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";

import { startTestApp, type TestApp } from "./harness/app.ts";
import { type Customer, makeCustomer } from "./harness/customer.ts";
import { startReceiver, type Receiver } from "./harness/receiver.ts";

const guide = (name: string) => readFileSync(new URL(`../../docs/guides/${name}.md`, import.meta.url), "utf8");

let app: TestApp;
let receiver: Receiver;
beforeAll(async () => {
  [app, receiver] = await Promise.all([startTestApp(), startReceiver()]);
});
afterAll(async () => {
  await receiver.close();
  await app.stop();
});

let customer: Customer;
/** What stands for ids in the guides, and what it stands for here. */
let stands: Record<string, string>;
beforeEach(async () => {
  customer = await makeCustomer(app);
  await customer.post("/v1/event-types", { name: "guide.read" });
  receiver.answer({ status: 404 });
  const failing = await customer.subscribe(receiver, { types: ["guide.read"], schedule_ms: [] });
  const other = await customer.subscribe(receiver, { types: ["guide.read"] });
  const { source } = await customer.connect("vapi");
  await customer.post("/v1/messages", { type: "guide.read", data: {} });
  const lost = async () => (await customer.get(`/v1/undelivered?endpoint_id=${failing.id}`)).data[0]?.id;
  while ((await lost()) === undefined) await systemClock.sleep(20);
  stands = {
    $DELIVERY: await lost(),
    $ENDPOINT: failing.id,
    "ep_01m7…": failing.id,
    "ep_…": failing.id,
    ep_old: failing.id,
    ep_new: other.id,
    "src_…": source.id,
  };
});

const filled = (text: string) =>
  Object.entries(stands).reduce((filledSoFar, [name, value]) => filledSoFar.replaceAll(name, value), text);

type Command = { readonly method: string; readonly path: string; readonly body: string | undefined };

/** The curl commands of a page as a shell hands them over, in order. */
function commandsOf(page: string): Command[] {
  const blocks = [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].map(([, language, block = ""]) =>
    language ? "" : block,
  );
  const scripts = blocks.flatMap(
    (block) => /^(?:\$ )?((?:curl|for)\b[\s\S]*?)(?=^\{|^\$ |$(?![\s\S]))/m.exec(block)?.[1] ?? [],
  );
  return scripts.flatMap((script) => {
    const shell = `curl() { printf '%s\\0' "$@"; printf '\\n\\0'; }\n${filled(script)}`;
    const said = execFileSync("bash", ["-c", shell], { encoding: "utf8", env: { ...process.env, KEY: "key" } });
    return said.split("\n\0").flatMap((text) => (text === "" ? [] : commandOf(text.split("\0"))));
  });
}

function commandOf(words: readonly string[]): Command {
  const after = (option: string) => (words.includes(option) ? words[words.indexOf(option) + 1] : undefined);
  const url = words.find((word) => word.startsWith("http://localhost:4400/")) ?? "";
  expect(words).toContain("authorization: Bearer key");
  const body = after("-d");
  const method = after("-X") ?? (body === undefined ? "GET" : "POST");
  return { method, path: url.replace("http://localhost:4400", ""), body };
}

test.each([
  ["send-results-to-my-server", 5],
  ["send-your-own-messages", 2],
  ["resend-what-i-missed", 3],
  ["rotate-a-secret", 3],
  ["verify-our-webhooks", 1],
  ["shape-the-body", 1],
  ["connect-n8n-zapier-or-make", 4],
  ["stop-what-waits", 2],
])("every command of the guide %s is answered 2xx", async (name, count) => {
  const commands = commandsOf(guide(name));
  expect(commands).toHaveLength(count);
  for (const { method, path, body } of commands) {
    const { status, json } = await customer.ask(method, path, body === undefined ? undefined : JSON.parse(body));
    expect([method, path, status < 300 ? "2xx" : json]).toEqual([method, path, "2xx"]);
  }
});

test("every selection of the guide to resends is understood", async () => {
  const since = new Date(Date.now() - 3_600_000).toISOString();
  const call = await customer.post("/v1/calls", { provider: "vapi", provider_call_id: "of-the-guide" });
  for (const is_enabled of [false, true])
    await customer.ask("PATCH", `/v1/endpoints/${stands["ep_…"]}`, { is_enabled });
  const bodies = [...guide("resend-what-i-missed").matchAll(/^\|[^|]+\| `(\{.*\})` \|$/gm)].map(
    ([, body = ""]) => body,
  );
  expect(bodies).toHaveLength(7);
  for (const body of bodies) {
    const text = filled(body).replaceAll('"since": "…"', `"since": "${since}"`).replaceAll("call_…", call.id);
    const { status, json } = await customer.ask("POST", "/v1/resends", { ...JSON.parse(text), dry_run: true });
    expect([body, status < 300 ? "2xx" : json]).toEqual([body, "2xx"]);
  }
});
