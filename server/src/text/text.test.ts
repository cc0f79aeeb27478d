import type { Turn } from "@aftercall/contract/call.ts";
import fc from "fast-check";
import { expect, test } from "vitest";

import { directionOf } from "./direction.ts";
import { hebrewStem, withoutHebrewPrefixes } from "./hebrew.ts";
import { detectLanguage } from "./language.ts";
import { searchText } from "./search-text.ts";
import { sentencesOf, wordsOf } from "./segments.ts";
import { timesOf } from "./spans.ts";
import { tokensOf } from "./tokens.ts";
import { turnsOf } from "./turns.ts";

const said = (...texts: string[]) => texts.map((text) => ({ role: "customer" as const, text }));

test("a search finds Hebrew with points, with maqaf, with final letters and inside a prefixed word", () => {
  expect(searchText("אני גרה בְּבֵית־שְׁאָן היום")).toContain(searchText("בית שאן"));
  expect(searchText("בֵּית־שְׁאָן")).toBe(searchText("בית שאן"));
  expect(searchText("שלום")).toBe(searchText("שלומ"));
  expect(searchText("צה״ל")).toBe(searchText('צה"ל'));
});

test("a search does not mind accents, case, width or direction marks", () => {
  expect(searchText("\u200fCafé  ＡＢＣ—d")).toBe("cafe abc d");
});

test("any text: searching text is made once and for all", () => {
  const text = fc.string({ unit: "grapheme" }).map(searchText);
  fc.assert(
    fc.property(text, (once) => {
      expect(searchText(once)).toBe(once);
    }),
  );
});

test("tokens keep quotation marks inside words and their place in the text", () => {
  const text = `דיברתי עם צה"ל בבֵּית־שְׁאָן, don't!`;
  const tokens = tokensOf(text);
  expect(tokens.map(({ text }) => text)).toEqual(["דיברתי", "עמ", 'צה"ל', "בבית", "שאנ", "don't"]);
  expect(tokens.map(({ start, end }) => text.slice(start, end))).toEqual([
    "דיברתי",
    "עם",
    'צה"ל',
    "בבֵּית",
    "שְׁאָן",
    "don't",
  ]);
});

test("tokens of scripts without spaces are their characters", () => {
  expect(tokensOf("予約です ok").map(({ text }) => text)).toEqual(["予", "約", "て", "す", "ok"]);
});

test("tokens are the same whether a text holds another script or not", () => {
  const piece = fc.constantFrom("a", "é", "ש", "'", '"', " ", "-", "־", "\u05b0", "\u200f", "1", ".", "’", "״");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const text = pieces.join("").replace(/\u200f/g, "");
      const other = tokensOf(`${text} ж`).slice(0, -1);
      expect(tokensOf(text)).toEqual(other);
    }),
  );
});

test("sentences end where they end, not at a title or a decimal point", () => {
  expect(sentencesOf("Dr. Cohen called. It is 3.50 now! Really?", "en")).toEqual([
    "Dr. Cohen called.",
    "It is 3.50 now!",
    "Really?",
  ]);
  expect(sentencesOf('שלום. מה שלומך? ד"ר כהן כאן.', "he")).toEqual(["שלום.", "מה שלומך?", 'ד"ר כהן כאן.']);
  expect(sentencesOf("はい。予約をお願いします。", "ja")).toEqual(["はい。", "予約をお願いします。"]);
  expect(sentencesOf("  ", "en")).toEqual([]);
});

test("words are counted by the rules of the language, and a language nobody knows is no error", () => {
  expect(wordsOf('צה"ל הגיע לבית־שאן.', "he")).toHaveLength(4);
  expect(wordsOf("don't stop", "xx-not a tag")).toEqual(["don't", "stop"]);
});

test("Hebrew prefixes are offered one and two at a time", () => {
  expect(withoutHebrewPrefixes("ובבית")).toEqual(["בבית", "בית"]);
  expect(withoutHebrewPrefixes("לוד")).toEqual(["וד"]);
  expect(withoutHebrewPrefixes("חיפה")).toEqual([]);
  expect(hebrewStem("המנעולנ")).toBe("מנעולנ");
  expect(hebrewStem("והמנעולנ")).toBe("מנעולנ");
  expect(hebrewStem("לוד")).toBe("לוד");
});

test("the script decides the language where it belongs to one, whatever the tenant's languages", () => {
  expect(detectLanguage(said("כן"))).toBe("he");
  expect(detectLanguage(said("כן, תודה רבה"), ["en"])).toBe("he");
  expect(detectLanguage(said("はい、予約をお願いします"))).toBe("ja");
  expect(detectLanguage(said("안녕하세요"))).toBe("ko");
});

test("short English is English or nothing, never another language", () => {
  expect(detectLanguage(said("ok thanks bye"))).toBe("en");
  expect(detectLanguage(said("no"))).toBeNull();
  expect(detectLanguage(said("no"), ["en-US", "he"])).toBe("en");
  expect(detectLanguage(said("12345"))).toBeNull();
});

test("languages of one script are told apart by their words", () => {
  expect(detectLanguage(said("Guten Tag, ich möchte einen Termin für morgen vereinbaren, bitte."))).toBe("de");
  expect(detectLanguage(said("Bonjour, je voudrais prendre rendez-vous pour demain matin, merci."))).toBe("fr");
  expect(detectLanguage(said("Здравствуйте, я хочу записаться на завтра, можно ли утром?"))).toBe("ru");
  expect(detectLanguage(said("Dzień dobry, chciałbym umówić się na wizytę jutro rano w przychodni"))).toBe("pl");
});

test("a call in Hebrew with a few English words is Hebrew; tools and system messages do not count", () => {
  expect(detectLanguage([...said("אני צריכה התקנה של Windows במחשב"), ...said("כן, ו-Office")])).toBe("he");
  expect(detectLanguage([{ role: "tool", text: "lookup city and return the result" }, ...said("שלום")])).toBe("he");
});

test("direction follows the language tag or the first letter of a text", () => {
  expect(["he", "ar-EG", "fa", "en", "az-Arab", "he-Latn"].map(directionOf)).toEqual([
    "rtl",
    "rtl",
    "rtl",
    "ltr",
    "rtl",
    "ltr",
  ]);
  expect(directionOf("050: שלום")).toBe("rtl");
  expect(directionOf("«Hello», שלום")).toBe("ltr");
});

test("a part of a turn has the times of its words, else those of the turn", () => {
  const word = (text: string, start_ms: number) => ({ text, start_ms, end_ms: start_ms + 90, confidence: null });
  const turn: Turn = { role: "customer", text: "I live, in Haifa.", start_ms: 0, end_ms: 900 };
  const words = [word("I", 0), word("live", 100), word("in", 200), word("Haifa", 300)];
  expect(timesOf({ ...turn, words }, 11, 16)).toEqual({ start_ms: 300, end_ms: 390 });
  expect(timesOf({ ...turn, words }, 2, 10)).toEqual({ start_ms: 100, end_ms: 290 });
  expect(timesOf({ ...turn, words: [word("other", 5)] }, 11, 16)).toEqual({ start_ms: 0, end_ms: 900 });
  expect(timesOf(turn, 11, 16)).toEqual({ start_ms: 0, end_ms: 900 });
});

test("a transcript that is only a text has its lines as turns, spoken by whom their label says", () => {
  const turns = turnsOf({
    turns: [],
    language: null,
    text: "AI: שלום\nUser: כן, ב-10:30\n\nנציג: טוב\nunlabelled: yes",
  });
  expect(turns.map(({ role, text }) => [role, text])).toEqual([
    ["agent", "שלום"],
    ["customer", "כן, ב-10:30"],
    ["agent", "טוב"],
    ["unknown", "unlabelled: yes"],
  ]);
});
