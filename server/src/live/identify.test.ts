import { toPublicId } from "@aftercall/contract/id.ts";
import fc from "fast-check";
import { expect, test } from "vitest";

import { identify, keysOf } from "./identify.ts";

const uuid = "01995b2c-7a1e-7c3d-8a1b-2c3d4e5f6071";
const callId = toPublicId("call", uuid);
const campaignId = toPublicId("campaign", uuid);

test.each([
  ["*", "all", ["*"]],
  ["CA9dd13ec4fcb895203d2162ca7e0297fc", "call_sid", ["call_sid CA9dd13ec4fcb895203d2162ca7e0297fc"]],
  ["CA12", "name", ["name CA12"]],
  ["conv_01", "conversation_id", ["conversation_id conv_01"]],
  ["RM_x", "room_sid", ["room_sid RM_x"]],
  ["SCL_x", "sip_call_id", ["sip_participant SCL_x", "sip_call_id SCL_x"]],
  ["comm_1", "communication_id", ["communication_id comm_1"]],
  [callId, "call", [`call ${uuid}`]],
  ["call_ofAnotherSystem", "name", ["name call_ofAnotherSystem"]],
  [campaignId, "campaign", [`campaign ${uuid}`]],
  [uuid, "uuid", [`call ${uuid}`, `name ${uuid}`]],
  ["room-42", "name", ["name room-42"]],
] as const)("%s is taken for %s", (identifier, kind, keys) => {
  expect(identify(identifier)).toMatchObject({ kind, keys });
});

test("a change is found by everything that its call is known as", () => {
  const aliases = [
    ["call_sid", "CA9dd13ec4fcb895203d2162ca7e0297fc"],
    ["sip_participant", "SCL_x"],
    ["generic", "room-42"],
    ["vapi_call", uuid],
  ] as const;
  const keys = new Set(keysOf({ callId: uuid, campaignId: uuid, aliases }));
  for (const name of ["*", callId, campaignId, uuid, ...aliases.map(([, value]) => value)]) {
    expect(identify(name).keys.some((key) => keys.has(key))).toBe(true);
  }
  const others = ["CA00000000000000000000000000000000", "conv_x", "room-43"];
  for (const name of others) expect(identify(name).keys.some((key) => keys.has(key))).toBe(false);
});

test("any text is taken for something", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (text) => {
      expect(identify(text).keys.length).toBeGreaterThan(0);
    }),
  );
});
