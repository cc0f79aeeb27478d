import { digitRuns, stretchesOf } from "../digits.ts";
import type { Found } from "../span.ts";

/** Payment card numbers: 13 to 19 digits with a right check digit (ISO/IEC 7812, Luhn), written or spoken. */
export function findCards(text: string): Found[] {
  return digitRuns(text).flatMap((run) =>
    stretchesOf(run, { min: 13, max: 19, is: isCardNumber }).map(({ start, end, digits }) => ({
      start,
      end,
      type: "card" as const,
      value: digits,
    })),
  );
}

function isCardNumber(digits: string): boolean {
  // A row of one digit passes the check and is no card.
  if (/^(\d)\1*$/.test(digits) || digits.startsWith("0")) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits.charAt(digits.length - 1 - i)) * (i % 2 === 1 ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
}
