/**
 * The main job, on real input: five providers tell their calls in signed webhooks, and a receiver gets the results. Everything
 * that is printed was read back from the server's API, from its log, or from the receiver. `--once` ends after that.
 */
import { routes } from "@aftercall/contract/routes.ts";

import { type Api, createApi } from "./demo/api.ts";
import { type Echo, startEcho } from "./demo/echo.ts";
import { follow, type Followed } from "./demo/follow.ts";
import type { Player } from "./demo/play.ts";
import { isolated, say, table } from "./demo/print.ts";
import { elevenlabs } from "./demo/providers/elevenlabs.ts";
import { livekit } from "./demo/providers/livekit.ts";
import { twilio } from "./demo/providers/twilio.ts";
import { vapi } from "./demo/providers/vapi.ts";
import { wonderful } from "./demo/providers/wonderful.ts";
import { publishPlan } from "./demo/results.ts";
import { type DemoServer, startServer } from "./demo/start-server.ts";

const players: readonly Player[] = [vapi, elevenlabs, livekit, twilio, wonderful];
const header = ["call", "provider", "direction", "from → to", "status", "outcome", "duration", "customer", "delivered"];
const isOnce = process.argv.includes("--once");

try {
  process.exitCode = await demo();
} catch (error) {
  console.error(`\nThe demo cannot run: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function demo(): Promise<number> {
  const startedAt = performance.now();
  const interrupted = new Promise((resolve) => process.once("SIGINT", resolve));
  const server = await startServer();
  const echo = await startEcho();
  try {
    const key = server.secrets.get("AFTERCALL_API_KEY") ?? "";
    const api = createApi(server.url, key);
    await subscribe(api, echo);
    await publishPlan(api);
    say(`\n  aftercall is up at ${server.url} after ${((performance.now() - startedAt) / 1000).toFixed(1)} s, with `);
    say(`an endpoint that gets the results at ${echo.url}\n\n`);

    const followed: Followed[] = [];
    for (const player of players) {
      const stage = { publicUrl: server.url, secret: secretIn(server), now: Date.now(), api };
      followed.push(await follow(player, { server, echo, stage }));
    }
    say(`\n${table([header, ...followed.map(rowOf)])}`);
    const missing = followed.filter(({ problem }) => problem !== null);
    for (const { provider, problem } of missing) say(`\n  ✗ ${provider}: ${problem}`);
    if (missing.length > 0) say(`\n${server.complaints.map((line) => `  server: ${line}\n`).join("")}`);
    say(whereToLook(server.url, key, followed));
    if (isOnce) return missing.length > 0 ? 1 : 0;

    say("\n  Ctrl+C stops it.\n");
    await interrupted;
    return missing.length > 0 ? 1 : 0;
  } finally {
    echo.close();
    await server.stop();
  }
}

/** The endpoint of an earlier demo is gone with its process; only this one gets what comes now. */
async function subscribe(api: Api, echo: Echo): Promise<void> {
  const { data: earlier } = await api.ask(routes.listEndpoints);
  for (const { id } of earlier) await api.ask(routes.deleteEndpoint, { id });
  const endpoint = await api.ask(routes.createEndpoint, { body: { url: echo.url, description: "Echo of the demo" } });
  echo.trust(endpoint.secret);
}

function secretIn({ secrets }: DemoServer): (variable: string) => string {
  return (variable) => {
    const value = secrets.get(variable);
    if (value === undefined) throw new Error(`The server has no ${variable}`);
    return value;
  };
}

function rowOf({ provider, call, messages, problem }: Followed): string[] {
  if (!call) return ["–", provider, "–", "–", "–", "–", "–", "–", problem ?? ""];
  return [
    call.id,
    provider,
    call.direction ?? "–",
    call.from || call.to ? `${call.from ?? "–"} → ${call.to ?? "–"}` : "–",
    call.status,
    call.outcome ?? "–",
    call.duration_ms === null ? "–" : `${(call.duration_ms / 1000).toFixed(1)} s`,
    call.customer_name ? isolated(call.customer_name) : "–",
    problem === null ? messages.join(", ") : "nothing",
  ];
}

function whereToLook(url: string, key: string, followed: readonly Followed[]): string {
  const call = followed.find((one) => one.call?.summary)?.call?.id ?? "";
  const curl = (path: string) => `    curl -H 'authorization: Bearer ${key}' '${url}${path}'\n`;
  return [
    `\n  Page  ${url}/      Docs  ${url}/docs      Health  ${url}/readyz\n\n`,
    "  The five calls, what was said in one, what was made of it and how, how it came in, and what was sent about it:\n",
    curl("/v1/calls?limit=5"),
    curl(`/v1/calls/${call}/transcript`),
    curl(`/v1/calls/${call}/analysis`),
    curl(`/v1/calls/${call}/steps`),
    curl(`/v1/events?call=${call}`),
    curl(`/v1/messages?call_id=${call}`),
  ].join("");
}
