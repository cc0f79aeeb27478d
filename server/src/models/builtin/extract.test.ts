import { FieldDef } from "@aftercall/contract/analysis/plan.ts";
import type { Transcript, Turn } from "@aftercall/contract/call.ts";
import { expect, test } from "vitest";

import { defaultFields } from "./defaults/fields.ts";
import { extractFields } from "./extract.ts";

const around = { startedAtMs: Date.parse("2026-05-12T08:00:00Z"), timeZone: "Asia/Jerusalem", country: "IL" };

const call = (...turns: (readonly [Turn["role"], string])[]): Transcript => ({
  text: turns.map(([, text]) => text).join("\n"),
  turns: turns.map(([role, text], i) => ({ role, text, start_ms: i * 1000, end_ms: i * 1000 + 900 })),
  language: turns.some(([, text]) => /[א-ת]/.test(text)) ? "he" : "en",
});
const customer = (text: string) => call(["customer", text]);
const field = (more: object) => FieldDef.parse({ name: "value", kind: "parser", ...more });
const read = (transcript: Transcript, more: object) => extractFields(transcript, [field(more)], around)[0];

const cities = {
  kind: "gazetteer",
  entries: [
    { value: "בית שמש" },
    { value: "בית שאן", aliases: ["ביסאן"] },
    { value: "לוד" },
    { value: "תל אביב", aliases: ['ת"א'] },
    { value: "חיפה" },
    { value: "Haifa" },
    { value: "שאן" },
  ],
};

test("a Hebrew name is found behind the letters written onto it, only where what is left is an entry", () => {
  expect(read(customer("אני גרה בבית שמש"), cities)).toMatchObject({ state: "found", value: "בית שמש" });
  expect(read(customer("נוסעים ומבית־שמש חוזרים"), cities)).toMatchObject({ value: "בית שמש" });
  expect(read(customer("גר בלוד"), cities)).toMatchObject({ value: "לוד" });
  expect(read(customer("לוד"), cities)).toMatchObject({ value: "לוד" });
  expect(read(customer('אני מת"א'), cities)).toMatchObject({ value: "תל אביב" });
  expect(read(customer("הילוד בבית"), cities)).toMatchObject({ state: "not_mentioned", value: null });
});

test("points, maqaf and aliases do not hide a name, and the longest entry wins", () => {
  const found = read(customer("אני מבֵּית־שְׁאָן."), cities);
  expect(found).toMatchObject({ state: "found", value: "בית שאן", candidates: [] });
  expect(found?.evidence).toEqual([
    {
      turn: 0,
      start_char: 4,
      end_char: 4 + "מבֵּית־שְׁאָן".length,
      quote: "מבֵּית־שְׁאָן",
      role: "customer",
      start_ms: 0,
      end_ms: 900,
      verification: "exact",
    },
  ]);
  expect(read(customer("I'm near Haifa's port"), cities)).toMatchObject({ value: "Haifa" });
});

test("two names are ambiguous, with both as candidates and the words they are from", () => {
  const found = read(customer("בין חיפה לתל אביב"), cities);
  expect(found).toMatchObject({ state: "ambiguous", value: null, candidates: ["חיפה", "תל אביב"] });
  expect(found?.evidence.map(({ quote }) => quote)).toEqual(["חיפה", "לתל אביב"]);
});

test("the customer's words outrank the agent's, and what is asked for outranks what is mentioned", () => {
  const said = call(["agent", "שלום, אנחנו מחיפה"], ["customer", "אני בלוד"]);
  expect(read(said, cities)).toMatchObject({
    state: "found",
    value: "לוד",
    candidates: ["חיפה", "לוד"],
    confidence: 0.7,
  });
  const asked = customer("אני גרה בחיפה. אני מחפשת דירה בתל אביב.");
  expect(read(asked, cities)).toMatchObject({ state: "found", value: "תל אביב" });
});

test("source roles: others' words are not heard", () => {
  const said = call(["agent", "חיפה?"], ["customer", "כן"]);
  expect(read(said, { ...cities, source_roles: ["customer"] })).toMatchObject({ state: "not_mentioned" });
});

test("with nothing configured a Hebrew call has its city and service, also where there are no turns", () => {
  const text = "היי, זה מאתר המנעולן? אני מחפשת שיווק נכס בבית שאן. כן, בטח, אעביר את הפרטים.";
  const [city, service] = extractFields({ text, turns: [], language: "he" }, defaultFields(), around);
  expect(city).toMatchObject({ name: "city", state: "found", value: "בית שאן" });
  expect(service).toMatchObject({ name: "service_category", state: "found", value: "שיווק נכס" });
  const english = call(
    ["agent", "Hi, how can I help?"],
    ["customer", "I'm locked out, I need a locksmith in Tel Aviv please."],
  );
  expect(extractFields(english, defaultFields(), around).map(({ value }) => value)).toEqual(["Tel Aviv", "locksmith"]);
});

test("everyday words are no cities", () => {
  const said = customer("מה שמך? אריאל. אני מהאזור, אני עומד בשדרות רוטשילד, קדימה.");
  expect(extractFields(said, defaultFields(), around)[0]).toMatchObject({ state: "not_mentioned" });
});

test("a field for a model is skipped, never guessed", () => {
  expect(read(customer("I am so happy"), { kind: "ai" })).toMatchObject({
    state: "skipped",
    value: null,
    method: "llm",
  });
});

test("a pattern gives its first group, typed as the schema asks", () => {
  const regex = { kind: "regex", regex: "(?i)unit (\\d+)", schema: { type: "integer" } };
  expect(read(customer("It is Unit 12."), regex)).toMatchObject({ state: "found", value: 12, method: "regex" });
  expect(read(customer("unit 12 or unit 13"), regex)).toMatchObject({ state: "ambiguous", candidates: [12, 13] });
  expect(read(customer("unit 12, yes, unit 12"), regex)).toMatchObject({ state: "found", value: 12 });
});

test("a value that the schema refuses is invalid, with the reason", () => {
  const refused = read(customer("unit 99"), {
    kind: "regex",
    regex: "unit (\\d+)",
    schema: { type: "integer", maximum: 50 },
  });
  expect(refused).toMatchObject({ state: "invalid", value: null, candidates: [99] });
  expect(refused?.rationale).toContain("<= 50");
  const shaped = { kind: "regex", regex: "code (\\w+)", schema: { type: "string", pattern: "^[A-Z]{2}\\d{2}$" } };
  expect(read(customer("code AB12"), shaped)).toMatchObject({ state: "found", value: "AB12" });
  expect(read(customer("code x"), shaped)).toMatchObject({ state: "invalid" });
  expect(read(customer("code x"), { ...shaped, schema: { $ref: "#/nowhere" } })).toMatchObject({ state: "invalid" });
});

test("a hostile pattern or text costs a bounded time: 50 kB of a, then !", () => {
  const text = `${"a".repeat(50_000)}!`;
  const before = process.cpuUsage();
  const fields = ["(a+)+$", "(?:a{1,20}){1,20}b", "^(([a-z])+.)+[A-Z]([a-z])+$"].map((regex, i) =>
    field({ name: `f${i}`, kind: "regex", regex }),
  );
  fields.push(field({ name: "schema", kind: "regex", regex: "a+", schema: { type: "string", pattern: "^(a+)+$" } }));
  const found = extractFields(customer(text), fields, around);
  const { user, system } = process.cpuUsage(before);
  expect(found[1]).toMatchObject({ state: "skipped" });
  expect((user + system) / 1000).toBeLessThan(2000);
  for (const parser of ["phone", "email", "date", "money", "order_id"]) {
    const start = process.cpuUsage();
    for (const hostile of [
      "a".repeat(10_000),
      "1".repeat(10_000),
      "a@".repeat(5_000),
      "order ".repeat(2000),
      "₪1,".repeat(4_000),
      "ב-1".repeat(4_000),
    ])
      read(customer(hostile), { parser });
    const used = process.cpuUsage(start);
    expect((used.user + used.system) / 1000, parser).toBeLessThan(1000);
  }
});

test("phone numbers are E.164 by the country of the call", () => {
  expect(read(customer("תתקשרו אליי ל-050-123-4567"), { parser: "phone" })).toMatchObject({
    state: "found",
    value: "+972501234567",
  });
  expect(read(customer("+1 (212) 555-0100"), { parser: "phone" })).toMatchObject({ value: "+12125550100" });
  expect(read(customer("it is +1 212 000 0100"), { parser: "phone" })).toMatchObject({ state: "not_mentioned" });
  expect(read(customer("I have 3 rooms"), { parser: "phone" })).toMatchObject({ state: "not_mentioned" });
});

test("a number that was said and whose country nobody knows is invalid, not unmentioned", () => {
  const [phone] = extractFields(customer("My number is 050-123-4567."), [field({ parser: "phone" })], {
    ...around,
    country: null,
  });
  expect(phone).toMatchObject({
    state: "invalid",
    value: null,
    rationale: "The country of the number is not known.",
    evidence: [{ quote: "050-123-4567" }],
  });
});

test("in a long text without turns every place is looked at, and found where it is", () => {
  const text = `${"and so on, ".repeat(300)}my number is 050-123-4567, tomorrow. ${"and so on, ".repeat(300)}`;
  const flat = { text, turns: [], language: "en" };
  const [phone, day] = extractFields(
    flat,
    [field({ name: "phone", parser: "phone" }), field({ name: "day", parser: "date" })],
    around,
  );
  expect(phone).toMatchObject({ state: "found", value: "+972501234567", evidence: [{ quote: "050-123-4567" }] });
  expect(day).toMatchObject({ state: "found", value: "2026-05-13", evidence: [{ quote: "tomorrow" }] });
});

test("e-mail addresses, written and spoken", () => {
  expect(read(customer("Dana.Levi@Example.CO.il, please"), { parser: "email" })).toMatchObject({
    value: "Dana.Levi@example.co.il",
  });
  expect(read(customer("dana dot levi at example dot com"), { parser: "email" })).toMatchObject({
    value: "dana.levi@example.com",
  });
  expect(read(customer("I am at home, look at that"), { parser: "email" })).toMatchObject({ state: "not_mentioned" });
});

test("money as text, number or object, in any of the usual spellings", () => {
  const money = (text: string, type = "string") => read(customer(text), { parser: "money", schema: { type } })?.value;
  expect(money("זה עולה 1,200 שקל")).toBe("1200.00 ILS");
  expect(money("₪1,200.50", "number")).toBe(1200.5);
  expect(money("about 2.5 million dollars", "object")).toEqual({ amount: "2500000.00", currency: "USD" });
  expect(money('5 אלף ש"ח')).toBe("5000.00 ILS");
  expect(money("1.234,50 €")).toBe("1234.50 EUR");
  expect(money("$45")).toBe("45.00 USD");
  expect(money("it is 45")).toBeNull();
});

test("order numbers follow a word that announces them", () => {
  const order = (text: string) => read(customer(text), { parser: "order_id" })?.value;
  expect(order("my order number is ab-1234.")).toBe("AB-1234");
  expect(order("מספר ההזמנה שלי הוא 445566")).toBe("445566");
  expect(order("ticket #99123")).toBe("99123");
  expect(order("in order to help")).toBeNull();
});

/** The call took place on Tuesday, 12 May 2026, at 11:00 in Jerusalem. */
const date = (text: string, more: object = {}) => read(customer(text), { parser: "date", ...more })?.value;

test("dates in English are reckoned from the day of the call, in its time zone", () => {
  expect(date("can you come tomorrow?")).toBe("2026-05-13");
  expect(date("on Thursday at 3pm")).toBe("2026-05-14T15:00:00+03:00");
  expect(date("on December 3rd at 10:30")).toBe("2026-12-03T10:30:00+02:00");
  expect(date("on 03/06/2026")).toBe("2026-06-03");
  expect(date("I may come, I sat there")).toBeNull();
});

test("dates in Hebrew: relative days, days of the week, months, with the time beside them", () => {
  expect(date("אפשר מחר בעשר בבוקר?")).toBe("2026-05-13T10:00:00+03:00");
  expect(date("ניפגש מחרתיים")).toBe("2026-05-14");
  expect(date("ביום ראשון בשעה חמש וחצי")).toBe("2026-05-17T17:30:00+03:00");
  expect(date("היום בערב בשעה שמונה")).toBe("2026-05-12T20:00:00+03:00");
  expect(date("ב-15 במאי")).toBe("2026-05-15");
  expect(date("ב-3 בינואר")).toBe("2027-01-03");
  expect(date("ב-16:30")).toBe("2026-05-12T16:30:00+03:00");
  expect(date("ב-9:00 בבוקר")).toBe("2026-05-13T09:00:00+03:00");
  expect(date("ב-31/2")).toBeNull();
  expect(date("זה עולה בעשר חנויות 10 שקלים, שבת שלום")).toBeNull();
});

test("a field that asks for a day gets a day; without the start of the call there is no date", () => {
  expect(date("מחר ב-10:00", { schema: { type: "string", format: "date" } })).toBe("2026-05-13");
  const unknown = { ...around, startedAtMs: null };
  expect(extractFields(customer("tomorrow"), [field({ parser: "date" })], unknown)[0]?.state).toBe("not_mentioned");
});
