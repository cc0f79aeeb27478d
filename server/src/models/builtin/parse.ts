import type { FieldDef } from "@aftercall/contract/analysis/plan.ts";

import { parseDates } from "./parsers/date.ts";
import { parseEmails } from "./parsers/email.ts";
import { parseMoney } from "./parsers/money.ts";
import { parseOrderIds } from "./parsers/order-id.ts";
import type { Parsed, Parser } from "./parsers/parser.ts";
import { parsePhones } from "./parsers/phone.ts";

/** What reads values of a kind out of a text. */
export const parsers: Readonly<Record<NonNullable<FieldDef["parser"]>, Parser>> = {
  phone: parsePhones,
  email: parseEmails,
  date: parseDates,
  money: parseMoney,
  order_id: parseOrderIds,
};

/** The value in the form that the field's schema asks for: money as an object, a number, or text (`1200.00 ILS`). */
export function inForm({ value }: Pick<Parsed, "value">, { schema }: Pick<FieldDef, "schema">): unknown {
  const { type } = schema;
  if (isMoney(value)) {
    if (type === "object") return value;
    return type === "number" || type === "integer" ? Number(value.amount) : `${value.amount} ${value.currency}`;
  }
  if (typeof value !== "string") return value;
  if (type === "number" || type === "integer") return numberOf(value);
  if (type === "boolean") return true;
  // A day was asked for, and a day with a time was said.
  return schema["format"] === "date" && /^\d{4}-\d{2}-\d{2}T/.test(value) ? value.slice(0, 10) : value;
}

function isMoney(value: unknown): value is { amount: string; currency: string } {
  return typeof value === "object" && value !== null && "amount" in value && "currency" in value;
}

/** Text that is no number stays text, and the schema refuses it. */
function numberOf(text: string): number | string {
  const number = Number(text.replace(/[,\s\u00a0]/g, ""));
  return text.trim() !== "" && Number.isFinite(number) ? number : text;
}
