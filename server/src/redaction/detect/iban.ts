import type { Found } from "../span.ts";

/** Bank accounts: two letters, two check digits and the account, 15 to 34 characters whose remainder by 97 is 1 (ISO 13616). */
export function findIbans(text: string): Found[] {
  const form = /\b[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}/g;
  const found: Found[] = [];
  for (let match = form.exec(text); match; match = form.exec(text)) {
    const length = longestValid(match[0]);
    const end = match.index + length;
    if (length > 0) found.push({ start: match.index, end, type: "iban", value: compact(text.slice(match.index, end)) });
    // What was no account may hold the beginning of one.
    form.lastIndex = length > 0 ? end : match.index + 4;
  }
  return found;
}

/** The words after an account may look like a part of it, so shorter ends are tried too. */
function longestValid(text: string): number {
  for (let end = text.length; end >= 15; end--) {
    if (!/[A-Za-z0-9]/.test(text.charAt(end - 1))) continue;
    const account = compact(text.slice(0, end));
    if (account.length < 15) return 0;
    if (isIban(account)) return end;
  }
  return 0;
}

function compact(text: string): string {
  return text.replaceAll(/[ -]/g, "").toUpperCase();
}

function isIban(account: string): boolean {
  let remainder = 0;
  for (const letter of account.slice(4) + account.slice(0, 4)) {
    const value = letter >= "A" ? letter.charCodeAt(0) - 55 : Number(letter);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}
