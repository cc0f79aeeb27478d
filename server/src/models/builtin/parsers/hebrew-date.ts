import { findHebrewTimes } from "./hebrew-time.ts";
import type { Parsed } from "./parser.ts";
import { type Day, fieldsAt, isoOf } from "./time-zone.ts";

/**
 * Days and times in Hebrew: היום, מחר, מחרתיים, אתמול, ביום שלישי, שבוע הבא, ב-15 במאי, 15/5, and beside them a time, as in
 * "מחר בעשר בבוקר", "ב-16:30", "ביום ראשון בשעה חמש וחצי". A day of the week is the next one; a time alone is the next time
 * that a clock shows it.
 */
export function parseHebrewDates(text: string, { startedAtMs, zone }: { startedAtMs: number; zone: string }): Parsed[] {
  const words = [...text.matchAll(dayWords)];
  const said = findHebrewTimes(text);
  if (words.length === 0 && said.length === 0) return [];
  const now = fieldsAt(startedAtMs, zone) ?? fieldsAt(startedAtMs, "UTC");
  if (!now) return [];
  const days = words.flatMap(({ 0: found, index, groups = {} }) => {
    const day = dayOf(groups, now);
    return day ? [{ day, start: index, end: index + found.length }] : [];
  });
  const times = said.filter((time) => !days.some(({ start, end }) => time.start < end && time.end > start));
  const used = new Set<object>();
  const dated = days.map(({ day, start, end }) => {
    const near = times.find(
      (one) => !used.has(one) && Math.min(gap(one.start, end), gap(start, one.end)) <= nearEnough,
    );
    if (!near) return { value: isoOf(day, null, zone), start, end };
    used.add(near);
    return { value: isoOf(day, near.time, zone), start: Math.min(start, near.start), end: Math.max(end, near.end) };
  });
  const alone = times
    .filter((one) => one.isSure && !used.has(one))
    .map(({ time, start, end }) => {
      const isPast = time.hour * 60 + time.minute <= now.hour * 60 + now.minute;
      return { value: isoOf(shifted(now, isPast ? 1 : 0), time, zone), start, end, certainty: 0.6 };
    });
  return [...dated, ...alone].toSorted((a, b) => a.start - b.start);
}

/** Characters between a day and its time: "מחר, אם אפשר, בעשר". */
const nearEnough = 20;

function gap(later: number, earlier: number): number {
  return later >= earlier ? later - earlier : Number.POSITIVE_INFINITY;
}

const weekdays = ["ראשון", "שני", "שלישי", "רביעי", "חמישי", "שישי", "שבת"];
const months = [
  "ינואר",
  "פברואר",
  "מרץ",
  "אפריל",
  "מאי",
  "יוני",
  "יולי",
  "אוגוסט",
  "ספטמבר",
  "אוקטובר",
  "נובמבר",
  "דצמבר",
];
const begin = String.raw`(?<![\p{L}\p{N}])`;
const end = String.raw`(?![\p{L}\p{N}])`;
const relative: ReadonlyMap<string, number> = new Map([
  ["שלשום", -2],
  ["אתמול", -1],
  ["היום", 0],
  ["הערב", 0],
  ["הלילה", 0],
  ["מחר", 1],
  ["מחרתיים", 2],
  ["בעוד שבוע", 7],
  ["בעוד שבועיים", 14],
]);

const dayWords = new RegExp(
  [
    String.raw`${begin}[ולמ]?(?<relative>${[...relative.keys()].toSorted((a, b) => b.length - a.length).join("|")})${end}`,
    String.raw`${begin}[ובלמ]{0,2}(?:יום\s+(?<weekday>${weekdays.join("|")})|(?<sabbath>שבת)(?=\s+(?:הקרובה|הבאה|בבוקר|בערב)|[.,!?]|$))(?<next>\s+הבא(?!\p{L}))?${end}`,
    String.raw`${begin}[ובלמ]{0,2}[-־]?(?<day>\d{1,2})\s+(?:ב|ל)?(?<month>${months.join("|")})(?:\s+(?<year>\d{4}))?${end}`,
    String.raw`${begin}[ובלמ]{0,2}[-־]?(?<d>\d{1,2})[./](?<m>\d{1,2})(?:[./](?<y>\d{4}|\d{2}))?(?![\d./%])`,
  ].join("|"),
  "gu",
);

function dayOf(groups: Readonly<Record<string, string | undefined>>, now: Day): Day | null {
  const { relative: word, weekday, sabbath, next, day, month, year, d, m, y } = groups;
  if (word !== undefined) return shifted(now, relative.get(word) ?? 0);
  if (weekday !== undefined || sabbath !== undefined) {
    const today = new Date(Date.UTC(now.year, now.month - 1, now.day)).getUTCDay();
    const ahead = (weekdays.indexOf(weekday ?? "שבת") - today + 7) % 7 || 7;
    // "The next" one is that of the coming week, which begins on Sunday.
    return shifted(now, next !== undefined && ahead + today < 7 ? ahead + 7 : ahead);
  }
  if (day !== undefined) return calendar(Number(day), months.indexOf(month ?? "") + 1, year, now);
  return d === undefined ? null : calendar(Number(d), Number(m), y, now);
}

/** A date of this year, or of the next where it is long past; null when there is no such date. */
function calendar(day: number, month: number, year: string | undefined, now: Day): Day | null {
  const said = year === undefined ? null : Number(year) + (year.length === 2 ? 2000 : 0);
  const ofYear = (one: number) => {
    const date = new Date(Date.UTC(one, month - 1, day));
    return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? { year: one, month, day } : null;
  };
  if (said !== null) return ofYear(said);
  const isPast = month < now.month || (month === now.month && day < now.day);
  return ofYear(isPast ? now.year + 1 : now.year);
}

function shifted({ year, month, day }: Day, days: number): Day {
  const date = new Date(Date.UTC(year, month - 1, day + days));
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}
