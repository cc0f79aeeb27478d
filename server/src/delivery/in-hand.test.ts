import { expect, test } from "vitest";

import { createInHand } from "./in-hand.ts";
import { makeHandOff, makeTarget } from "./test-target.ts";

test("what is in hand is counted by its bytes, once, and nothing of it stays when it has ended", () => {
  const inHand = createInHand();
  const item = (deliveryId: string, bytes: number) =>
    makeHandOff(makeTarget({ id: "endpoint" }), { deliveryId, body: Buffer.alloc(bytes) });
  const [a, b] = [item("a", 10), item("b", 5)];
  inHand.add([a, b]);
  // Claimed once more after the claim before was lost.
  inHand.add([{ ...a, claimId: "later" }]);
  expect(inHand.bytes).toBe(15);
  expect(inHand.all().map(({ deliveryId }) => deliveryId)).toEqual(["b", "a"]);
  inHand.remove(a);
  inHand.remove(a);
  expect([inHand.bytes, inHand.isEmpty]).toEqual([5, false]);
  inHand.remove(b);
  expect([inHand.bytes, inHand.isEmpty]).toEqual([0, true]);
});
