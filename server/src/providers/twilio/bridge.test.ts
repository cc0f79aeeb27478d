import { createHmac } from "node:crypto";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { MalformedBody, type ProviderRequest } from "../provider.ts";
import { bridge } from "./bridge.ts";
import { TwilioSetup } from "./setup.ts";
import { verifyStream } from "./verify.ts";

const url = "wss://calls.example.com/webhooks/twilio/stream";
const token = "12345abcdef67890fedcba0987654321";
const secrets = [{ slot: "auth_token", keyId: "AC1", value: token }];

function opening(signed: string, value = token): ProviderRequest {
  const signature = createHmac("sha1", value).update(signed).digest("base64");
  const headers = new Map([["x-twilio-signature", [signature]]]);
  return { method: "GET", url: url.replace(/^ws/, "http"), headers, body: Buffer.alloc(0) };
}

test("a stream is opened by who signed its URL, in each form in which Twilio writes it, and by nobody else", () => {
  const forms = [url, `${url}/`, url.replace("wss:", "https:"), url.replace(".com", ".com:443")];
  for (const form of forms) expect(verifyStream(opening(form), secrets)).toMatchObject({ ok: true });
  const wrong = { ok: false, code: "bad_signature" };
  expect(verifyStream(opening(url, "another token"), secrets)).toEqual(wrong);
  expect(verifyStream(opening(url.replace("twilio", "other")), secrets)).toEqual(wrong);
  expect(verifyStream(opening(url, ""), [{ slot: "realtime_key", keyId: null, value: "" }])).toEqual(wrong);
  expect(verifyStream({ ...opening(url), headers: new Map() }, secrets)).toEqual({ ok: false, code: "missing_header" });
});

test("a note is read or refused as malformed, whatever stands in it", () => {
  const setup = TwilioSetup.parse({});
  const note = fc.record(
    {
      note: fc.constantFrom("began", "said", "recorded", "ended", "other"),
      ...{ call_sid: fc.oneof(fc.constant("CA1"), fc.anything()), session: fc.constantFrom("s1", "", null) },
      ...{
        turn: fc.anything(),
        turns: fc.anything(),
        moments: fc.anything(),
        usage: fc.anything(),
        data: fc.anything(),
      },
      ...{ at: fc.anything(), is_over: fc.anything(), reason: fc.anything(), duration_ms: fc.anything() },
    },
    { requiredKeys: ["note", "call_sid", "session"] },
  );
  fc.assert(
    fc.property(note, (value) => {
      const body = Buffer.from(JSON.stringify(value) ?? "");
      const request = { method: "POST", url, headers: new Map(), body };
      try {
        for (const event of bridge.read({ request, setup, receivedAtMs: 0 })) {
          expect(event.aliases).toHaveLength(1);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedBody);
      }
    }),
  );
});
