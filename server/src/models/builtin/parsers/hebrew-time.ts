import type { TimeOfDay } from "./time-zone.ts";

/**
 * Times of day in Hebrew: `16:30`, "בשעה 5", "ב-4 אחר הצהריים", "בעשר וחצי בבוקר", "בעשר". The last could be ten of anything: it
 * is not sure, and counts only beside a day. Without a part of the day, one to six are in the afternoon, when businesses
 * are open.
 */
export function findHebrewTimes(text: string): TimeFound[] {
  return [...text.matchAll(times)].map(({ 0: found, index, groups = {} }) => {
    const { early, clock, minute, at, digits, word, past, late } = groups;
    const part = early ?? late;
    const number = clock ?? digits;
    const hour = number === undefined ? hours.indexOf((word ?? "").replace("-", " ")) + 1 : Number(number);
    return {
      time: { hour: onClock(hour, part ?? null), minute: minute ? Number(minute) : (minutes[past ?? ""] ?? 0) },
      start: index,
      end: index + found.length,
      isSure: [clock, at, past, part].some((one) => one !== undefined),
    };
  });
}

export type TimeFound = {
  readonly time: TimeOfDay;
  readonly start: number;
  readonly end: number;
  readonly isSure: boolean;
};

const hours = ["אחת", "שתיים", "שלוש", "ארבע", "חמש", "שש", "שבע", "שמונה", "תשע", "עשר", "אחת עשרה", "שתים עשרה"];
const hourWords = ["אחת[ -]עשרה", "שתים[ -]עשרה", ...hours.slice(0, 10)].join("|");
const minutes: Readonly<Record<string, number>> = { חצי: 30, רבע: 15, עשרה: 10, עשרים: 20 };
const past = Object.keys(minutes).join("|");
const parts = String.raw`בבוקר|לפני הצהריים|בצהריים|אחר הצהריים|אחה["״]צ|בערב|בלילה`;

const times = new RegExp(
  String.raw`(?<![\p{L}\p{N}])(?:(?<early>${parts})\s+)?(?:[לבמ]?[-־]?(?<clock>[01]?\d|2[0-3]):(?<minute>[0-5]\d)(?!\d)|(?:(?<at>[לבמ]?שעה)\s+[לב]?[-־]?|[לב][-־]?)(?:(?<digits>[01]?\d|2[0-3])(?!\d|[./:,]\d|\s*(?:שקל|ש["״]ח|₪|%))|(?<word>${hourWords}))(?:\s+ו(?<past>${past}))?(?![\p{L}\p{N}]))(?:\s+(?<late>${parts})(?!\p{L}))?`,
  "gu",
);

function onClock(hour: number, part: string | null): number {
  if (hour > 12) return hour;
  if (part === "בבוקר" || part === "לפני הצהריים") return hour % 12;
  if (part === "בלילה") return hour === 12 || hour < 5 ? hour % 12 : hour + 12;
  if (part === "בצהריים" && hour === 11) return 11;
  if (part !== null) return hour === 12 ? 12 : hour + 12;
  return hour >= 1 && hour <= 6 ? hour + 12 : hour;
}
