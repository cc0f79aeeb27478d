import { findPhoneNumbersInText, isSupportedCountry, parsePhoneNumberFromString } from "libphonenumber-js";

import { phoneShapes } from "#/text/phone-shapes.ts";

import { type DigitRun, digitRuns, stretchesOf } from "../digits.ts";
import type { Found, Surroundings } from "../span.ts";

/**
 * Phone numbers: as they are written, by the numbering plans of libphonenumber, and as they are spelled out. A number that is
 * possible but not in use counts too, and so does what is only shaped like one, and a number with a star: what looks like a
 * phone number is not worth publishing, and nobody may know the country.
 */
export function findPhones(text: string, { countries }: Surroundings): Found[] {
  const supported = countries.filter((one) => isSupportedCountry(one));
  const locals: Local[] = supported.length > 0 ? supported.map((defaultCountry) => ({ defaultCountry })) : [{}];
  const runs = digitRuns(text);
  const known = locals.flatMap((local) => written(text, local));
  return [...known, ...spelledOut(text, runs, locals), ...starred(text, runs), ...shaped(text)];
}

type Local = NonNullable<Parameters<typeof findPhoneNumbersInText>[1]>;

function written(text: string, local: Local): Found[] {
  return findPhoneNumbersInText(text, local).map(({ startsAt, endsAt, number }) => {
    return phone(startsAt, endsAt, number.number);
  });
}

function spelledOut(text: string, runs: readonly DigitRun[], locals: readonly Local[]): Found[] {
  return runs.flatMap((run) => {
    const valueOf = (digits: string) => {
      return locals.map((local) => numberOf(digits, local)).find((number) => number !== null) ?? null;
    };
    // What has digits of another script, too, is not read as it is written.
    const isForeign = run.parts.some(({ start }) => text.charCodeAt(start) > 127);
    const isSpelled = run.isSpoken || isForeign;
    const is = (digits: string) => (isSpelled && dialled.test(digits)) || valueOf(digits) !== null;
    return stretchesOf(run, { min: isSpelled ? 7 : 9, max: 15, is }).map(({ start, end, digits }) => {
      return phone(start, end, valueOf(digits) ?? digits);
    });
  });
}

/** How a spoken number begins that is dialled inside a country. */
const dialled = /^(?:0\d{6,14}|1[5-9]\d{8,9})$/;

/** Only what begins as a dialled number does: by 0 inside the country, or by its own prefix and valid. */
function numberOf(digits: string, local: Local): string | null {
  const national = parsePhoneNumberFromString(digits, local);
  if (digits.startsWith("0") && national?.isPossible()) return national.number;
  const international = parsePhoneNumberFromString(`+${digits}`);
  if (international?.isValid()) return international.number;
  return national?.isValid() ? national.number : null;
}

/** `*6050`, "star six oh five oh", "כוכבית 6050". */
function starred(text: string, runs: readonly DigitRun[]): Found[] {
  return runs.flatMap(({ parts }) => {
    const [first] = parts;
    const star =
      first && /(?:\*|(?<!\p{L})(?:[בלומש]?כוכבית|star|asterisk))\s?$/iu.exec(text.slice(0, first.start).slice(-12));
    if (!star || !first) return [];
    let [digits, end] = ["", first.end];
    for (const part of parts) {
      if (digits.length + part.digits.length > 6) break;
      digits += part.digits;
      end = part.end;
    }
    return digits.length < 3 ? [] : [phone(first.start - star[0].length, end, `*${digits}`)];
  });
}

function shaped(text: string): Found[] {
  return phoneShapes(text).map(({ start, end, digits }) => phone(start, end, digits));
}

function phone(start: number, end: number, value: string): Found {
  return { start, end, type: "phone", value };
}
