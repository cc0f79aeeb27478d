import { toPublicId } from "@aftercall/contract/id.ts";
import { expect, test } from "vitest";

import { logUnrouted } from "./log-unrouted.ts";
import type { MessageRow } from "./queue/message-store.ts";

test("a call whose end nobody wanted leaves one line that says why, with ids and no content", () => {
  const id = "01970000-0000-7000-8000-000000000001";
  const row: MessageRow = {
    ...{ tenantId: id, id, type: "call.completed", callId: id, campaignId: null, orderKey: null },
    ...{ occurredAtMs: 0, receivedAtMs: 0, unroutedReason: "no_endpoint" },
  };
  const lines: unknown[] = [];
  logUnrouted({ info: (...line: unknown[]) => lines.push(line) }, [row, { ...row, type: "call.started" }]);
  const ids = { tenant: toPublicId("tenant", id), message: toPublicId("message", id), call: toPublicId("call", id) };
  expect(lines).toEqual([[{ ...ids, type: "call.completed", reason: "no_endpoint" }, "message to nobody"]]);
});
