import type { Found } from "../span.ts";

/** Dates that stand near words for birth. Dates in general are no personal data: an appointment must stay readable. */
export function findBirthDates(text: string): Found[] {
  const found: Found[] = [];
  for (const cue of text.matchAll(cues)) {
    const from = cue.index + cue[0].length;
    for (const date of text.slice(from, from + 60).matchAll(dates)) {
      const start = from + date.index;
      found.push({ start, end: start + date[0].length, type: "birth_date", value: date[0].toLowerCase() });
    }
  }
  return found;
}

const cues =
  /\b(?:born(?: on| in)?|birth ?day|birth ?date|date of birth|d\.?o\.?b\.?)\b|תאריך (?:ה)?לידה|נולדתי|נולדה|נולד|יום (?:ה)?הולדת/giu;

const months =
  "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*|[בל]?(?:ינואר|פברואר|מרץ|אפריל|מאי|יוני|יולי|אוגוסט|ספטמבר|אוקטובר|נובמבר|דצמבר)";
const day = String.raw`\d{1,2}(?:st|nd|rd|th)?`;
const year = String.raw`(?:19|20)\d{2}`;
const dates = new RegExp(
  [
    String.raw`\d{1,2}\s?[./-]\s?\d{1,2}\s?[./-]\s?(?:${year}|\d{2})`,
    `${year}-\\d{2}-\\d{2}`,
    `${day}(?: of)? (?:${months}),?(?: ${year})?`,
    `(?:${months}) ${day},?(?: ${year})?`,
    year,
  ].join("|"),
  "giu",
);
