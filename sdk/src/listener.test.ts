import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { type Customer, makeCustomer, newUuid } from "../../server/test/harness/customer.ts";
import { type Receiver, startReceiver } from "../../server/test/harness/receiver.ts";
import { startTwoServers, type LiveServer, type LiveServers } from "../../server/test/live/servers.ts";
import { createClient } from "./client.ts";
import { AftercallError } from "./error.ts";
import { createListener, type ListenerMessage, type ListenerOptions } from "./listener.ts";
import { verify } from "./verify.ts";

/** Longer than any machine takes. */
const patience = { timeout: 25_000 };
let live: LiveServers;
let one: LiveServer;
let receiver: Receiver;
let customer: Customer;
let endpoint: string;
/** Ends a call, which makes one message. */
let end: () => Promise<void>;
beforeAll(async () => {
  live = await startTwoServers();
  [one] = live.servers;
});
afterAll(() => live.stop());
beforeEach(async () => {
  receiver = await startReceiver();
  customer = await makeCustomer(one);
  ({ id: endpoint } = await customer.subscribe(receiver, { types: ["call.ended"] }));
  const line = await customer.connect("vapi");
  end = async () => {
    const message = { type: "end-of-call-report", timestamp: Date.now(), call: { id: newUuid() } };
    const { status } = await line.own({ message: { ...message, endedReason: "customer-ended-call" } });
    if (status !== 200) throw new Error(`a webhook was answered ${status}`);
  };
});
afterEach(() => receiver.close());

/** A listener at work. `cut` breaks its connection, as a network does. */
function listen(options: Partial<ListenerOptions> = {}, url = one.url) {
  const leaving = new AbortController();
  let cutting = new AbortController();
  const messages: ListenerMessage[] = [];
  const waiting = new Set<() => void>();
  const status = { live: 0 };
  const fetchCut: typeof fetch = async (input, init) => {
    const answer = await fetch(input, init);
    if (!answer.headers.get("content-type")?.startsWith("text/event-stream") || !answer.body) return answer;
    const { readable, writable } = new TransformStream();
    cutting = new AbortController();
    answer.body.pipeTo(writable, { signal: cutting.signal }).catch(() => {});
    return new Response(readable, answer);
  };
  const client = createClient({ baseUrl: url, token: customer.key, fetch: fetchCut, sleep: async () => {} });
  const cursors: string[] = [];
  const listener = createListener(client, {
    endpoint,
    signal: leaving.signal,
    onCursor: (cursor) => void cursors.push(cursor),
    onStatus: (now) => {
      if (now === "live") status.live++;
      for (const check of waiting) check();
    },
    ...options,
  });
  const running = listener.run((message) => {
    messages.push(message);
    for (const check of waiting) check();
  });
  const until = (fits: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (fits()) resolve();
      };
      waiting.add(check);
      check();
    });
  return {
    listener,
    messages,
    cursors,
    running,
    opened: (times = 1) => until(() => status.live >= times),
    has: (count: number) => until(() => messages.length >= count),
    cut: () => cutting.abort(new TypeError("The network is gone")),
    async leave() {
      leaving.abort();
      await running;
    },
  };
}

const sent = async () => {
  const { data } = await customer.get(`/v1/deliveries?endpoint_id=${endpoint}&limit=100`);
  return data.map(({ message_id }: { message_id: string }) => message_id).toReversed() as string[];
};
const idsOf = (messages: readonly ListenerMessage[]) => messages.map(({ id }) => id);

test("messages come with bytes and headers that verify, and are those that the endpoint got", async () => {
  const { listener, messages, opened, has, leave } = listen();
  await opened();
  await end();
  await has(1);
  const [message] = messages;
  const { id, event } = await verify(message?.body ?? "", message?.headers ?? {}, listener.secret);
  expect([id, event.type]).toEqual([message?.id, "call.ended"]);
  const [arrived] = await receiver.waitFor(1);
  expect(Buffer.from(message?.body ?? []).equals(arrived?.body ?? Buffer.alloc(0))).toBe(true);
  expect(arrived?.headers["webhook-id"]).toBe(id);
  await leave();
});

test("with a secret of its own it verifies with that, and a secret that is none is refused at once", async () => {
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const { messages, opened, has, leave } = listen({ secret });
  await opened();
  await end();
  await has(1);
  expect((await verify(messages[0]?.body ?? "", messages[0]?.headers ?? {}, secret)).id).toBe(messages[0]?.id);
  await leave();
  for (const wrong of ["", "whsec_", "whsec_*"]) {
    expect(() => createListener(createClient({ baseUrl: one.url }), { endpoint, secret: wrong })).toThrow(TypeError);
  }
});

test("what was sent before comes first, oldest first, and what comes meanwhile once", async () => {
  const since = new Date(Date.now() - 60_000);
  for (let count = 0; count < 3; count++) await end();
  await receiver.waitFor(3);
  await expect.poll(async () => (await customer.get("/v1/deliveries?state=delivered")).data.length, patience).toBe(3);
  const { messages, has, leave } = listen({ since });
  await end();
  await has(4);
  await end();
  await has(5);
  expect(idsOf(messages)).toEqual(await sent());
  await leave();
});

test("a cut connection costs no message and repeats none, from one handled cursor to another process of the program", async () => {
  const first = listen();
  await first.opened();
  await end();
  await first.has(1);
  first.cut();
  await end();
  await end();
  await first.has(3);
  await first.opened(2);
  await end();
  await first.has(4);
  await first.leave();
  const cursor = first.cursors.at(-1);
  await end();
  await end();
  const second = listen({ ...(cursor !== undefined && { cursor }) }, live.servers[1].url);
  const told = idsOf(first.messages);
  const missing = async () => (await sent()).filter((id) => ![...told, ...idsOf(second.messages)].includes(id));
  await expect.poll(missing, patience).toEqual([]);
  await second.leave();
  // The last one may not have been past the cursor yet; nothing before it comes again.
  const again = idsOf(second.messages).filter((id) => told.slice(0, -1).includes(id));
  expect(again).toEqual([]);
  expect(new Set(idsOf(second.messages)).size).toBe(second.messages.length);
});

test("an endpoint that nobody answers at makes no difference; other endpoints' messages and retries do not come", async () => {
  receiver.answer({ status: 500 });
  const elsewhere = await startReceiver();
  await customer.subscribe(elsewhere, { types: ["call.ended"] });
  const { messages, opened, has, leave } = listen();
  await opened();
  await end();
  await has(1);
  const { data } = await customer.get(`/v1/deliveries?endpoint_id=${endpoint}`);
  await customer.post(`/v1/deliveries/${data[0].id}/retry`, {});
  await receiver.waitFor(2);
  await end();
  await has(2);
  expect(messages.map(({ delivery }) => delivery.endpoint_id)).toEqual([endpoint, endpoint]);
  expect(new Set(idsOf(messages)).size).toBe(2);
  await leave();
  await elsewhere.close();
});

test("what the handler throws ends it, and comes again from the cursor", async () => {
  const client = createClient({ baseUrl: one.url, token: customer.key });
  const cursors: string[] = [];
  const seen: string[] = [];
  const opened = Promise.withResolvers<void>();
  const onStatus = () => opened.resolve();
  const onCursor = (cursor: string) => void cursors.push(cursor);
  const run = createListener(client, { endpoint, onCursor, onStatus, since: new Date() }).run(({ id }) => {
    seen.push(id);
    throw new Error("Not now");
  });
  const failed = expect(run).rejects.toThrow("Not now");
  await opened.promise;
  await end();
  await failed;
  const { messages, has, leave } = listen({ since: new Date(Date.now() - 60_000) });
  await has(1);
  expect(idsOf(messages)).toEqual(seen);
  await leave();
});

test("an endpoint that does not exist and a token that may not see deliveries are said", async () => {
  const { token } = await customer.post("/v1/embed-tokens", { business_id: "10" });
  for (const [key, of, status] of [
    [customer.key, "ep_00000000000000000000000000", 404],
    [token, endpoint, 403],
  ] as const) {
    const listener = createListener(createClient({ baseUrl: one.url, token: key }), { endpoint: of });
    const error: unknown = await listener.run(() => {}).catch((thrown: unknown) => thrown);
    expect(error instanceof AftercallError && error.status).toBe(status);
  }
});
