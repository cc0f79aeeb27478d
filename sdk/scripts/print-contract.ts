import type { Route } from "@aftercall/contract/api.ts";
import * as callTranscript from "@aftercall/contract/call-transcript.ts";
import * as call from "@aftercall/contract/call.ts";
import * as campaign from "@aftercall/contract/campaign.ts";
import * as delivery from "@aftercall/contract/delivery.ts";
import * as endpoint from "@aftercall/contract/endpoint.ts";
import * as mapping from "@aftercall/contract/endpoint/mapping.ts";
import * as event from "@aftercall/contract/event.ts";
import { eventTypes } from "@aftercall/contract/events.ts";
import * as imports from "@aftercall/contract/import.ts";
import * as live from "@aftercall/contract/live.ts";
import * as message from "@aftercall/contract/message.ts";
import * as problem from "@aftercall/contract/problem.ts";
import { routes } from "@aftercall/contract/routes.ts";
import * as source from "@aftercall/contract/source.ts";
import * as tenant from "@aftercall/contract/tenant.ts";
import * as training from "@aftercall/contract/training.ts";
import { z } from "zod";

import { createPrinter } from "./print-type.ts";

/** The contract as plain TypeScript: what `sdk/src/contract.ts` says, without zod. A test compares the two. */
export function printContract(): string {
  const modules = [
    call,
    callTranscript,
    campaign,
    delivery,
    endpoint,
    event,
    imports,
    problem,
    live,
    mapping,
    message,
    source,
    tenant,
    training,
  ];
  const printer = createPrinter(modules.flatMap((module) => Object.entries(module)));
  const { input, output, query } = printer;

  const table = Object.entries<Route>(routes).map(([name, route]) => {
    const fields = [
      `method: ${JSON.stringify(route.method)}`,
      `path: ${JSON.stringify(route.path)}`,
      `query: ${route.query instanceof z.ZodObject ? query(route.query) : "undefined"}`,
      `body: ${route.body ? input(route.body) : "undefined"}`,
      `lines: ${route.bodyLines ? input(route.bodyLines) : "undefined"}`,
      `output: ${output(route.output)}`,
      `isStream: ${route.media === "application/x-ndjson"}`,
    ];
    return `  /** ${route.summary.replace(/\.?$/, ".")} */\n  ${name}: {\n    ${fields.join(";\n    ")};\n  };`;
  });
  const messages = Object.entries(eventTypes).map(
    ([name, { title, description, data }]) => `  /** ${title}. ${description} */\n  "${name}": ${output(data)};`,
  );
  const items = Object.entries(live.streamItems).map(([kind, data]) => `  ${kind}: ${output(data)};`);
  // Asked for by name by whoever uses the SDK, whether or not a route has them.
  for (const schema of [call.CallOutcome, call.Money, call.Turn, live.LiveTurn, problem.Problem]) output(schema);

  return `/* Written from the contract by sdk/scripts/build.ts. */

/** Every route of /v1: where it is, what it takes, what it answers. */
export type Routes = {
${table.join("\n")}
};
export type RouteName = keyof Routes;

/** \`data\` of every message that aftercall sends, by \`type\`. */
export type EventData = {
${messages.join("\n")}
};

/** \`data\` of every item of \`GET /v1/stream\`, by \`event\`. */
export type StreamData = {
${items.join("\n")}
};

${printer.named().join("\n")}
`;
}
