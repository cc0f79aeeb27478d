import { makeKey } from "../harness/api.ts";
import { known, startTestApp } from "../harness/app.ts";
import { checkAnswer } from "../harness/contract-check.ts";
import { customerOf, connectLivekitHmac, type Line, randomToken } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";
import { startProxy } from "../harness/proxy.ts";
import { type Received, type Reply, startReceiver } from "../harness/receiver.ts";
import { userToken } from "../harness/sign.ts";
import { type Drawn, providerOf } from "./draw-request.ts";
import { createKnownNames } from "./known-names.ts";
import type { IntakeProvider } from "./provider-bodies.ts";

export type Fuzzed = Awaited<ReturnType<typeof startFuzzed>>;

/**
 * The whole server with something of everything, asked by its operator. Wherever a request leads it to, it gets to a receiver of
 * ours, which answers well and badly, or is refused: by the guard, or by the proxy that all else goes through.
 */
export async function startFuzzed() {
  const [receiver, proxy] = await Promise.all([startReceiver(), startProxy()]);
  receiver.answer(answers);
  proxy.answer(403);
  const app = await startTestApp({
    AFTERCALL_READS_PER_MINUTE: "0",
    AFTERCALL_WRITES_PER_MINUTE: "0",
    AFTERCALL_TRAINING_ANSWER_SECONDS: "1",
    HTTPS_PROXY: proxy.url,
  });
  const { json: me } = await app.ask(known.apiKey, "GET", "/v1/whoami");
  const [row] = await app.db.inTransaction([], (tx) =>
    tx.rows<{ id: string }>("select lookup_tenant($1) as id", [me.tenant.slug]),
  );
  const operator = customerOf(app, { tenantId: row?.id ?? "", key: known.apiKey });
  const viewer = await makeKey(app.db, operator.tenantId, "viewer");
  const names = createKnownNames(new Set([me.tenant.id, me.actor.id]));
  const endpoints: string[] = [];
  const lines = await connectAll();
  await makeSomething();

  return {
    app,
    operator,
    /** Sends what was drawn; gives what is wrong with the answer, null when nothing is. */
    async send(drawn: Drawn): Promise<string | null> {
      const path = filled(drawn.path);
      const body = drawn.body === null ? null : nearby(filled(drawn.body), drawn.isAstray);
      const headers = { ...headersFor(drawn, path, body), ...drawn.headers };
      const answer = await fetch(app.url + path, { method: drawn.method, headers, ...(body !== null && { body }) });
      const text = await answer.text();
      const type = answer.headers.get("content-type") ?? "";
      const place = `${drawn.method} ${path} ${JSON.stringify(headers)} ${body?.slice(0, 2_000) ?? ""}`;
      if (answer.status >= 500) return `${answer.status} to ${place}: ${text}`;
      try {
        checkAnswer(drawn.method, path, { status: answer.status, type, text });
      } catch (error) {
        return `${String(error)} to ${place}`;
      }
      if (answer.ok && /\bjson\b/.test(type)) names.learn(drawn.route, JSON.parse(text));
      if (answer.status === 201 && drawn.route === "/v1/endpoints") await keepFewEndpoints(JSON.parse(text).id);
      return null;
    },
    async stop() {
      await app.stop();
      await Promise.all([receiver.close(), proxy.close()]);
    },
  };

  /** Each endpoint gets every message, so that the work of a request would grow with those before it. */
  async function keepFewEndpoints(youngest: string): Promise<void> {
    endpoints.push(youngest);
    for (const one of endpoints.splice(0, endpoints.length - 5)) await operator.ask("DELETE", `/v1/endpoints/${one}`);
  }

  function filled(text: string): string {
    const ours = text.replaceAll(fixtureIds.accountSid, lines.twilio.keyId);
    return ours.replaceAll(/\{own ([\w-]*) (\d+)\}/g, (_all, noun: string, number: string) =>
      names.pick(noun, Number(number)),
    );
  }

  /** Every address in a text is one of ours, or, `isAstray`, one that the guard refuses. */
  function nearby(text: string, isAstray: boolean): string {
    const here = isAstray ? "10.0.0.1" : new URL(receiver.url).host;
    return text.replaceAll(
      /https?(:\/\/|%3A%2F%2F)[^\s"'\\/?#&%]+/g,
      (_all, slashes: string) => `http${slashes}${here}`,
    );
  }

  function headersFor({ route, type, caller }: Drawn, path: string, body: string | null): Record<string, string> {
    const typed = body === null ? {} : { "content-type": type };
    const provider = providerOf[route];
    if (provider !== undefined) {
      const line = provider ? lines[provider] : Object.values(lines).find(({ source }) => path.endsWith(source.slug));
      return line && caller !== "nobody" ? { ...line.sign(body ?? "", path).headers } : typed;
    }
    const sub = new URL(path, app.url).searchParams.get("user_id") ?? "nobody";
    const token = userToken(known.jwtSecret, { sub });
    if (caller === "nobody") return typed;
    const keys = { user: token, viewer, operator: route.startsWith("/api/") ? token : known.apiKey };
    return { ...typed, authorization: `Bearer ${keys[caller]}` };
  }

  async function connectAll(): Promise<Readonly<Record<IntakeProvider, Line>>> {
    const user = await operator.post("/v1/users", { external_id: randomToken("user") });
    const api = { api: { base_url: receiver.url } };
    const generic = { provider: "generic", auth: "none", secrets: [], on_given_routes: false, setup: {} };
    const livekit = await connectLivekitHmac(app, operator, { user_id: user.id });
    return {
      vapi: await operator.connect("vapi", { setup: api }),
      elevenlabs: await operator.connect("elevenlabs", { setup: api }),
      twilio: await operator.connect("twilio", { setup: api }),
      wonderful: await operator.connect("wonderful", { setup: api }),
      livekit,
      generic: await operator.connect("vapi", generic),
    };
  }

  /** One of each thing that has an id, and what lists say is there. */
  async function makeSomething(): Promise<void> {
    await lines.vapi.own(nearby(fixture("vapi", "real/end-of-call-report.json"), false));
    await operator.settled();
    const things: readonly (readonly [string, object])[] = [
      ["/v1/calls", { provider: "vapi", provider_call_id: randomToken("call") }],
      ["/v1/campaigns", { name: "Spring" }],
      ["/v1/endpoints", { url: receiver.url, schedule_ms: [1_000] }],
      ["/v1/event-types", { name: "lead.qualified" }],
      ["/v1/messages", { type: "lead.qualified", data: {} }],
      ["/v1/members", { external_id: randomToken("user"), role: "viewer" }],
      ["/v1/assignments", { title: "Objections" }],
      ["/v1/training-sessions", {}],
      ["/v1/analysis-plans", { name: "Greeting" }],
      ["/v1/api-keys", { name: "another" }],
      ["/v1/tenants", { slug: randomToken("t"), name: "Another" }],
      ["/v1/identity-providers", { name: "Login", issuer: "https://login.example/", jwks_url: receiver.url }],
    ];
    for (const [path, body] of things) names.learn(path, await operator.post(path, body));
    for (const path of ["users", "sources", "events", "deliveries", "quarantine", "analysis-plans", "event-types"]) {
      names.learn(`/v1/${path}`, (await operator.ask("GET", `/v1/${path}`)).json);
    }
  }
}

/** What is answered to our requests, in turn: what would do, and what would not. */
function answers(_request: Received, count: number): Reply {
  const turn = count % replies.length;
  return replies[turn] ?? "reset";
}

const json = (body: unknown): Reply => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const replies: readonly Reply[] = [
  json({ choices: [{ message: { role: "assistant", content: "{}" }, finish_reason: "stop" }] }),
  json({ keys: [] }),
  json([]),
  { status: 204 },
  { status: 500, body: "no" },
  { status: 429, headers: { "retry-after": "1" } },
  { status: 302, headers: { location: "/elsewhere" } },
  { status: 401 },
  { status: 200, headers: { "content-type": "application/json" }, body: '{"half' },
  "reset",
];
