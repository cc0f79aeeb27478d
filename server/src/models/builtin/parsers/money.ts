import type { Parsed } from "./parser.ts";

/**
 * Amounts of money with their currency: `₪1,200`, `1,200 שקל`, `$45.50`, `300 euros`, `2 million dollars`, `5 אלף ש"ח`. The
 * value is `{ amount: "1200.00", currency: "ILS" }`, the amount as decimal text. A number without a currency is no money.
 */
export function parseMoney(text: string): Parsed[] {
  if (!/\d/.test(text) || !anyCurrency.test(text)) return [];
  return [...text.matchAll(amountOfMoney)].flatMap(({ 0: found, index, groups }) => {
    const { before, digits = "", scale, after } = groups ?? {};
    const currency = currencyOf(before ?? after ?? "");
    const amount = decimal(digits, scale ?? "");
    if (!currency || !amount) return [];
    return [{ value: { amount, currency }, start: index, end: index + found.length }];
  });
}

const currencies: readonly (readonly [code: string, names: string])[] = [
  ["ILS", '₪|ils|nis|shekels?|sheqels?|שקלים|שקל|ש"ח|ש״ח|שח'],
  ["USD", String.raw`us\$|\$|usd|dollars?|bucks|דולרים|דולר`],
  ["EUR", "€|eur|euros?|אירו|יורו"],
  ["GBP", "£|gbp|pounds?|quid|פאונד|ליש״ט"],
  ["INR", "₹|inr|rupees?"],
  ["JPY", "¥|jpy|yen|円"],
  ["RUB", "₽|rub|rubles?|roubles?|рублей|рубля|рубль"],
];
const names = currencies.map(([, list]) => list).join("|");
const anyCurrency = new RegExp(names, "i");

const number = String.raw`\d{1,3}(?:[,.\u00a0\u202f ]\d{3}){1,4}(?:[.,]\d{1,2})?(?!\d)|\d{1,12}(?:[.,]\d{1,2})?(?!\d)`;
const scales = String.raw`k|m|thousand|million|אלף|אלפים|מיליון`;
const edge = String.raw`(?![\p{L}\p{N}])`;
const amountOfMoney = new RegExp(
  String.raw`(?:(?<![\p{L}])(?<before>${names})\s?)?(?<![\d.,])(?<digits>${number})(?:\s?(?<scale>${scales})${edge})?(?:\s?-?(?<after>${names})${edge})?`,
  "giu",
);

function currencyOf(name: string): string | null {
  const wanted = name.toLowerCase();
  return wanted === ""
    ? null
    : (currencies.find(([, list]) => new RegExp(`^(?:${list})$`, "iu").test(wanted))?.[0] ?? null);
}

/** The last separator is the decimal one when one or two digits follow it. Scaled by thousands or millions, exactly. */
function decimal(digits: string, scale: string): string | null {
  const { whole = "", cents = "" } = /^(?<whole>.*?)(?:[.,](?<cents>\d{1,2}))?$/.exec(digits)?.groups ?? {};
  const zeros = scaleOf(scale.toLowerCase());
  const fraction = cents.padEnd(Math.max(zeros, cents.length), "0");
  const shifted = whole.replace(/\D/g, "") + fraction.slice(0, zeros);
  const rest = fraction.slice(zeros).padEnd(2, "0");
  const amount = shifted.replace(/^0+(?=\d)/, "");
  return amount === "" || amount.length > 15 ? null : `${amount}.${rest}`;
}

function scaleOf(scale: string): number {
  if (scale === "k" || scale === "thousand" || scale === "אלף" || scale === "אלפים") return 3;
  return scale === "m" || scale === "million" || scale === "מיליון" ? 6 : 0;
}
