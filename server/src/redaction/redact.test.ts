import type { Redaction } from "@aftercall/contract/analysis/plan.ts";
import type { Transcript, Turn } from "@aftercall/contract/call.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { muteWindows } from "./mute.ts";
import { createRedactor } from "./redact.ts";

const types: Redaction["types"] = ["phone", "email", "card", "iban", "il_id", "birth_date", "address", "name"];
const israel = { countries: ["IL"], names: ["דנה לוי", "Dana Levi"] };
const masked = (text: string, wanted = types) => createRedactor({ types: wanted, names: [] }, israel).maskText(text);

describe("personal data is covered", () => {
  test.each([
    ["a mobile number", "call me at 050-123-4567 please", "call me at [PHONE_1] please"],
    ["an international number", "it is +1 415 555 2671.", "it is [PHONE_1]."],
    ["a number spelled out", "zero five zero one two three four five six seven", "[PHONE_1]"],
    ["a number spelled out in Hebrew", "אפס חמש אפס אחת שתיים שלוש ארבע חמש שש שבע", "[PHONE_1]"],
    ["an address of mail", "write to Dana.Levi+x@Example.co.il", "write to [EMAIL_1]"],
    ["an address of mail spelled out", "dana dot levi at gmail dot com", "[EMAIL_1]"],
    ["an address of mail spelled out in Hebrew", "דנה נקודה לוי שטרודל gmail נקודה com", "[EMAIL_1]"],
    ["a card", "my card is 4111 1111 1111 1111 ok", "my card is [CARD_1] ok"],
    ["a card that was spoken", "four one one one, one one one one, double one double one, one one one one", "[CARD_1]"],
    ["a card cut by the transcription", "4111, 1111 1111... 1111", "[CARD_1]"],
    ["an account", "IBAN GB82 WEST 1234 5698 7654 32 thanks", "IBAN [IBAN_1] thanks"],
    ["an Israeli identity number", "תעודת זהות 123456782", "תעודת זהות [IL_ID_1]"],
    ["a date of birth", "born on 3 May 1985 in Haifa", "born on [BIRTH_DATE_1] in Haifa"],
    ["a date of birth in Hebrew", "תאריך לידה 03.05.1985", "תאריך לידה [BIRTH_DATE_1]"],
    ["an address", "I live at 12 Baker Street now", "I live at [ADDRESS_1] now"],
    ["an address in Hebrew", "אני גר ברחוב הרצל 12", "אני גר [ADDRESS_1]"],
    ["a known name behind a prefix letter", "תודה לדנה לוי", "תודה ל[NAME_1]"],
  ])("%s", (_, text, expected) => {
    expect(masked(text)).toBe(expected);
  });
});

test.each([
  ["a card with a wrong check digit", "4111 1111 1111 1112", ["card"] as const],
  ["an account with a wrong check digit", "DE88 3704 0044 0532 0130 01", ["iban"] as const],
  ["an appointment", "tomorrow, 3 May at 10:30", types],
  ["the price", "it costs 1,250 shekels", types],
  ["a place", "אני מבית שאן", types],
])("%s stays readable", (_, text, wanted) => {
  expect(masked(text, [...wanted])).toBe(text);
});

test.each([
  ["a landline", "02-671-2345"],
  ["a landline with a space", "03 5551234"],
  ["a landline of two parts", "04-8123456"],
  ["a number of another country", "020 7946 0958"],
  ["a number that is free of charge", "1-700-700-800"],
  ["a number spelled out", "zero two six seven one two three four five"],
  ["a number in Arabic digits", "٠٢٦٧١٢٣٤٥"],
  ["a number with a star", "*6050"],
  ["a number with a star that was spoken", "כוכבית 6050"],
])("%s is covered whatever country is known", (_, number) => {
  for (const countries of [[], ["US"], ["IL"], ["GB", "US"]]) {
    const redactor = createRedactor({ types: ["phone"], names: [] }, { countries, names: [] });
    expect(redactor.maskText(`call ${number}, please`), countries.join()).toBe("call [PHONE_1], please");
  }
});

test("the same value has the same token in turns, text and summary, another value another one", () => {
  const redactor = createRedactor({ types, names: [] }, israel);
  expect(redactor.maskText("050-123-4567 or 052-765-4321")).toBe("[PHONE_1] or [PHONE_2]");
  expect(redactor.maskText("I said 0501234567")).toBe("I said [PHONE_1]");
  expect(redactor.maskValue({ phone: "+972501234567", n: 3, list: ["a@b.co", null] })).toEqual({
    phone: "[PHONE_1]",
    n: 3,
    list: ["[EMAIL_1]", null],
  });
});

function turnOf(text: string, times: readonly (readonly [string, number, number])[]): Turn {
  const words = times.map(([word, start_ms, end_ms]) => ({ text: word, start_ms, end_ms, confidence: null }));
  return { role: "customer", text, start_ms: 0, end_ms: 5000, ...(words.length > 0 && { words }) };
}
const transcriptOf = (...turns: Turn[]): Transcript => ({
  text: turns.map(({ text }) => text).join("\n"),
  turns,
  language: "en",
});

test("words carry the token instead of what was said, and say when to be silent, with a quarter second around", () => {
  const turn = turnOf("it is 0501234567 thanks", [
    ["it", 100, 200],
    ["is", 250, 300],
    ["0501234567", 1000, 2500],
    ["thanks", 3000, 3400],
  ]);
  const { transcript, spans } = createRedactor({ types, names: [] }, israel).maskTranscript(transcriptOf(turn));
  expect(transcript.turns[0]?.words?.map(({ text }) => text)).toEqual(["it", "is", "[PHONE_1]", "thanks"]);
  expect(transcript.text).toBe("it is [PHONE_1] thanks");
  expect(muteWindows(spans)).toEqual({ windows: [[750, 2750]] });
});

test("without times for its words a span cannot be silenced, and no recording may be published", () => {
  const { spans } = createRedactor({ types, names: [] }, israel).maskTranscript(transcriptOf(turnOf("0501234567", [])));
  expect(muteWindows(spans)).toHaveProperty("unlocated", spans);
});

test("words that do not fit the text of their turn are all covered: one of them may be the number", () => {
  const turn = turnOf("call 0501234567", [
    ["call", 0, 100],
    ["zero", 100, 200],
    ["five", 200, 300],
  ]);
  const { transcript, spans } = createRedactor({ types, names: [] }, israel).maskTranscript(transcriptOf(turn));
  expect(transcript.turns[0]?.words).toEqual([]);
  expect(muteWindows(spans)).toHaveProperty("unlocated");
});

test("nothing that was found stays readable, whatever stands around it and however findings overlap", () => {
  const secrets = ["4111111111111111", "0501234567", "a.b@example.com", "GB82WEST12345698765432", "123456782"];
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...secrets), fc.constantFrom("and", "שלום", ",", "5", "x")), { maxLength: 12 }),
      (parts) => {
        const text = masked(parts.join(" "));
        for (const secret of secrets) expect(text).not.toContain(secret);
      },
    ),
    { numRuns: 300 },
  );
});

test("fifty thousand letters, digits or separators take no longer than a moment", () => {
  for (const piece of ["a", "1 ", "a.", "one ", "רחוב א ", "GB82 "]) {
    const started = process.cpuUsage();
    masked(piece.repeat(50_000 / piece.length));
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(5_000);
  }
});
