import type { Call, CallStatus } from "@aftercall/contract/call.ts";
import type { Endpoint } from "@aftercall/contract/endpoint.ts";
import type { CompletedCallData } from "@aftercall/contract/events.ts";
import { expectTypeOf, test } from "vitest";
import type { z } from "zod";

import {
  type AftercallError,
  type Client,
  type ExportLine,
  type InputOf,
  paginate,
  type StreamItem,
  type WebhookEvent,
} from "./index.ts";
import { openStream } from "./stream.ts";
import { verify } from "./verify.ts";

// Never called: what is written here only has to compile, or not to.
async function usage(client: Client): Promise<void> {
  expectTypeOf(await client.getCall("call_1")).toEqualTypeOf<Call>();
  expectTypeOf((await client.listCalls()).data).toEqualTypeOf<Call[]>();
  expectTypeOf(await client.exportUndelivered()).toEqualTypeOf<string>();
  expectTypeOf(await client.deleteSource("src_1")).toEqualTypeOf<null>();
  expectTypeOf((await client.updateEndpoint("ep_1", { url: "https://example.com" })).id).toEqualTypeOf<string>();
  expectTypeOf(await client.getEndpoint("ep_1")).toEqualTypeOf<z.output<typeof Endpoint>>();
  await client.deleteSourceSecret("src_1", "sec_1");
  await client.whoami({ signal: AbortSignal.timeout(1_000) });
  await client.listCalls({ status: ["ended", "failed"], limit: 50 }, { timeoutMs: 1_000 });
  await client.listEvents({ waiting: true, order: "newest" });
  await client.replayEvents();
  expectTypeOf((await client.importCalls("{}\n", { source: "vapi-main" })).state).toExtend<string>();
  await client.resumeImport("imp_1", new Blob(["{}\n"]), { signal: AbortSignal.timeout(1_000) });
  for await (const line of client.exportTenant()) expectTypeOf(line).toEqualTypeOf<ExportLine>();
  for await (const call of paginate(client.listCalls, { status: ["failed"] })) expectTypeOf(call).toEqualTypeOf<Call>();

  // @ts-expect-error an id is needed
  await client.getCall();
  // @ts-expect-error a source has two ids in the path of its secrets
  await client.deleteSourceSecret("src_1");
  // @ts-expect-error no call is in this status
  await client.listCalls({ status: ["over"] });
  // @ts-expect-error an import needs a file
  await client.importCalls();
  // @ts-expect-error an endpoint needs a URL
  await client.createEndpoint({});
  // @ts-expect-error there is no such field
  await client.listCalls({ stattus: ["ended"] });
  // @ts-expect-error a single answer has no pages
  paginate(client.whoami);
}

test("methods take what their route takes and give what it answers", () => {
  expectTypeOf(usage).returns.resolves.toBeVoid();
  expectTypeOf<InputOf<"listCalls">>().toHaveProperty("limit").toEqualTypeOf<number | undefined>();
  expectTypeOf<InputOf<"listCalls">>().toHaveProperty("status").toEqualTypeOf<readonly CallStatus[] | undefined>();
});

test("the type of a message decides its data", () => {
  expectTypeOf(verify<WebhookEvent>)
    .returns.resolves.toHaveProperty("event")
    .toEqualTypeOf<WebhookEvent>();
  expectTypeOf<Extract<WebhookEvent, { type: "call.completed" }>["data"]>().toEqualTypeOf<
    z.output<typeof CompletedCallData>
  >();
  const own = verify<{ type: "lead.qualified"; data: { score: number } }>;
  expectTypeOf<Awaited<ReturnType<typeof own>>["event"]["data"]["score"]>().toEqualTypeOf<number>();
});

test("the kind of a live item decides its data", () => {
  expectTypeOf(openStream).returns.toExtend<AsyncIterable<StreamItem>>();
  expectTypeOf<Extract<StreamItem, { event: "call" }>["data"]["call"]["status"]>().toEqualTypeOf<CallStatus>();
});

test("an error can be told apart by its code", () => {
  expectTypeOf<AftercallError["code"]>().toEqualTypeOf<string>();
  expectTypeOf<AftercallError>().toExtend<Error>();
});
