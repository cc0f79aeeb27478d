import { digitRuns, stretchesOf } from "../digits.ts";
import type { Found } from "../span.ts";

/** Israeli identity numbers: nine digits with a right check digit, written or spoken. */
export function findIsraeliIds(text: string): Found[] {
  return digitRuns(text).flatMap((run) =>
    stretchesOf(run, { min: 9, max: 9, is: isIdentityNumber }).map(({ start, end, digits }) => ({
      start,
      end,
      type: "il_id" as const,
      value: digits,
    })),
  );
}

/** Every second digit counts double, and the cross sum of all is a multiple of ten. */
function isIdentityNumber(digits: string): boolean {
  if (digits === "000000000") return false;
  let sum = 0;
  for (let i = 0; i < 9; i++) {
    const digit = Number(digits.charAt(i)) * (i % 2 === 0 ? 1 : 2);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
}
