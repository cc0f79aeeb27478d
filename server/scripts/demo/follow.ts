import type { Call } from "@aftercall/contract/call.ts";
import { routes } from "@aftercall/contract/routes.ts";

import type { Echo, Echoed } from "./echo.ts";
import type { Player, Stage, Webhook } from "./play.ts";
import { say } from "./print.ts";
import { resultLines } from "./results.ts";
import type { DemoServer } from "./start-server.ts";

/** What became of a provider's call; `problem` says why it counts as not arrived. */
export type Followed = {
  readonly provider: string;
  readonly call: Call | null;
  readonly messages: readonly string[];
  readonly problem: string | null;
};

const deliveryMsMax = 15_000;

/** Lets one provider tell its call, and says each stage as it is reached, with its time since the webhook was sent. */
export async function follow(
  player: Player,
  { server, echo, stage }: { server: DemoServer; echo: Echo; stage: Stage },
): Promise<Followed> {
  const { provider } = player;
  const lost = (problem: string, call: Call | null = null): Followed => {
    say(` ✗ ${problem}\n`);
    return { provider, call, messages: [], problem };
  };
  const play = await player.play(stage);
  say(`  ${provider.padEnd(11)} ${player.language}: ${told(play.webhooks)}\n${" ".repeat(14)}`);

  let sentAt = 0;
  for (const webhook of play.webhooks) {
    const isLast = webhook.what === play.completedBy;
    const startedAt = performance.now();
    const answer = await fetch(server.url + webhook.path, {
      method: "POST",
      headers: webhook.headers,
      body: webhook.body,
    });
    const text = await answer.text();
    const line = await server.nextWebhookLine();
    if (!answer.ok) return lost(`${webhook.what} was answered ${answer.status} ${text}`);
    if (!isLast) continue;
    sentAt = startedAt;
    // What is not on the server's own account of this webhook is the way there.
    const way = Math.max(0, performance.now() - startedAt - line.duration_ms) / 2;
    say(`received ${ms(way)} → verified ${ms(way + line.verify_ms)} → applied ${ms(way + line.stored_ms)}`);
    if (line.duration_ms - line.stored_ms > 1) say(` → feedback ${ms(way + line.duration_ms)}`);
  }

  const first = await callOf(play.providerCallId, provider, stage);
  if (!first) return lost("no call came of it");
  const completed = await echo.waitFor("call.completed", first.id, deliveryMsMax);
  if (!completed) return lost(`call.completed did not arrive within ${deliveryMsMax / 1000} s`, first);
  const call = await stage.api.ask(routes.getCall, { id: first.id });
  say(` → delivered ${ms(completed.at - sentAt)}\n`);
  for (const line of await resultsOf(call.id, completed, stage)) say(`${" ".repeat(14)}${line}\n`);
  const messages = echo.about(call.id).map(({ type, isSigned }) => (isSigned ? type : `${type} (not signed)`));
  return { provider, call, messages, problem: null };
}

/** What the message says was made of the call. */
async function resultsOf(callId: string, { analysis, turns }: Echoed, { api }: Stage): Promise<string[]> {
  if (!analysis) return ["nothing is made of calls: AFTERCALL_ANALYSIS is off"];
  const { language } = await api.ask(routes.getCall, { id: callId });
  return resultLines(analysis, turns, language);
}

async function callOf(providerCallId: string, provider: string, { api }: Stage): Promise<Call | null> {
  const { data } = await api.ask(routes.listCalls, { query: { provider, limit: "20" } });
  return data.find((call) => call.provider_call_id === providerCallId) ?? null;
}

function told(webhooks: readonly Webhook[]): string {
  const bytes = webhooks.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
  const counts = new Map<string, number>();
  for (const { what } of webhooks) counts.set(kindOf(what), (counts.get(kindOf(what)) ?? 0) + 1);
  const kinds = [...counts].map(([kind, count]) => (count === 1 ? kind : `${count} × ${kind}`));
  return `${kinds.join(", ")} (${(bytes / 1000).toFixed(1)} kB)`;
}

/** `status-update ringing` → `status-update`. */
function kindOf(what: string): string {
  return what.split(" ")[0] ?? what;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
