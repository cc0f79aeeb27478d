/** A run of digits in a text that is shaped like a number to dial, of whatever country. Offsets are UTF-16 code units. */
export type PhoneShape = { readonly start: number; readonly end: number; readonly digits: string };

/**
 * What looks like a phone number where no numbering plan says so: seven digits or more that begin as they are dialled, with 0,
 * + or 1-700 and its like. Runs that are longer than a number come whole: two numbers said after one another. Dates, times,
 * amounts and ids are none.
 */
export function phoneShapes(text: string): PhoneShape[] {
  const rest = text.replace(others, (other) => " ;".repeat(other.length).slice(0, other.length));
  return Array.from(rest.matchAll(shapes), ({ 0: written, index }) => ({
    start: index,
    end: index + written.length,
    digits: written.replace(/\D/g, ""),
  }));
}

const gap = String.raw`[ \t\u00a0\u2010-\u2015\u05be().,:_/-]{0,3}`;
/** Not within the id of a thing (`AC-0012345`, `call_0123456`), but right behind the word for it. */
const front = String.raw`(?:(?<![A-Za-z]_?|[A-Z]{2}-|[\d#])|(?<=(?:[Tt]el|TEL|[Ff]ax|FAX|[Pp]hone|PHONE|[Mm]obile)[-_]?))`;
const shapes = new RegExp(
  String.raw`${front}(?:\(?\+${gap}\d|\(?0|1${gap}[5-9]\d{2}(?=(?:${gap}\d){6}))(?:${gap}\d){6,}`,
  "gu",
);

const date = String.raw`(?<![\d][./-]?)(?:0?[1-9]|[12]\d|3[01])([./-])(?:0?[1-9]|[12]\d|3[01])\1(?:(?:19|20)\d{2}|\d{2})(?![./-]?\d|\s\d{3})`;
const isoDate = String.raw`(?<!\d[./-]?)(?:19|20)\d{2}-\d{2}-\d{2}(?!-?\d)`;
const time = String.raw`(?<!\d)\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?!\d)`;
const decimal = String.raw`(?<![\d][.,/-]?)\d{1,2}[.]\d+(?=\s?[%₪$€£])`;
const amount = String.raw`(?<![\d.,-])(?!1\.[5-9]\d\d\.)\+?[1-9]\d{0,2}(?:[.,]\d{3})+(?:[.,]\d{1,2})?(?![.,/-]?\d)`;
const uuid = String.raw`[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}`;
const others = new RegExp([uuid, isoDate, date, time, decimal, amount].join("|"), "giu");
