import type { Money } from "@aftercall/contract/call.ts";

import type { JsonObject } from "./json.ts";
import type { Alias, AliasKind } from "./provider.ts";
import { MalformedBody } from "./provider.ts";

/*
 * Tolerant readers of single fields: null means absent, a numeric string is a number, letter case of words does not
 * matter, and what cannot be read is absent rather than an error. Only ids refuse, because everything hangs on them.
 */

/** The object, or an empty one: fields of something absent are absent. */
export function objectAt(value: unknown): JsonObject {
  return objectOf(value) ?? {};
}

export function objectOf(value: unknown): JsonObject | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Text that says something; a number becomes its text. */
export function textOf(value: unknown): string | null {
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  return typeof value === "string" && value.trim() !== "" ? value : null;
}

/** A word of a fixed list in lower case: `IN_PROGRESS` → `in_progress`. */
export function wordOf(value: unknown): string | null {
  return typeof value === "string" ? value.trim().toLowerCase() || null : null;
}

/** A finite number, also written as text. */
export function numberOf(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "string" || !/^\s*-?\d+(\.\d+)?(e[+-]?\d+)?\s*$/i.test(value)) return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/**
 * An id that a provider gave out: 1 to 255 printable bytes, compared byte for byte; null when absent.
 * @throws MalformedBody naming the field, for anything else.
 */
export function idOf(value: unknown, field: string): string | null {
  if (value === null || value === undefined) return null;
  const id = typeof value === "number" ? String(value) : value;
  if (!isId(id)) throw new MalformedBody(`Invalid field: ${field}`, field);
  return id;
}

/** A further name of the call as a list to spread: empty when it is absent or no id, because the call has another name. */
export function aliasOf(kind: AliasKind, value: unknown): readonly Alias[] {
  const id = idIfAny(value);
  return id === null ? [] : [{ kind, value: id }];
}

function isId(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "" && !/\p{C}/u.test(value) && Buffer.byteLength(value) <= 255;
}

/** Like {@link idOf}, and absent is an error too. @throws MalformedBody */
export function requiredId(value: unknown, field: string): string {
  const id = idOf(value, field);
  if (id === null) throw new MalformedBody(`Missing required field: ${field}`, field);
  return id;
}

/** Like {@link idOf}, for another name by which to find a call: what is no id is absent, and hides nothing. */
export function idIfAny(value: unknown): string | null {
  const id = typeof value === "number" ? String(value) : value;
  return isId(id) ? id : null;
}

const endOfTimeMs = Date.UTC(2100, 0, 1);

/**
 * A time in epoch milliseconds: ISO 8601 (without a zone it is UTC), or a number or digits whose unit follows from
 * their size: up to 11 digits seconds, up to 14 milliseconds, up to 17 microseconds, else nanoseconds. Null outside of
 * 1970 to 2100.
 */
export function timeOf(value: unknown): number | null {
  const ms = typeof value === "string" ? textTime(value.trim()) : numberTime(value);
  return ms !== null && ms >= 0 && ms < endOfTimeMs ? ms : null;
}

const isoPattern = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)\s*(Z|[+-]\d\d:?\d\d)?$/i;

function textTime(text: string): number | null {
  if (/^\d{1,19}$/.test(text)) return text.length < 16 ? numberTime(Number(text)) : bigTime(BigInt(text), text.length);
  const iso = isoPattern.exec(text);
  if (!iso) return numberTime(numberOf(text));
  const ms = Date.parse(`${iso[1]}T${iso[2]?.replace(",", ".")}${iso[3]?.toUpperCase() ?? "Z"}`);
  return Number.isNaN(ms) ? null : ms;
}

function bigTime(value: bigint, digits: number): number {
  return Number(value / (digits <= 17 ? 1_000n : 1_000_000n));
}

function numberTime(value: unknown): number | null {
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) return null;
  if (value < 1e11) return Math.round(value * 1000);
  if (value < 1e14) return Math.floor(value);
  if (value < 1e17) return Math.floor(value / 1e3);
  // A double holds nanoseconds only to a quarter of a microsecond.
  return Math.floor(Math.round(value / 1e3) / 1e3);
}

/** `Mon, 02 Mar 2026 14:23:20 +0000` (RFC 5322 §3.3) in epoch milliseconds. */
export function emailTimeOf(value: unknown): number | null {
  const isDate =
    typeof value === "string" && /^\w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d (?:[+-]\d{4}|GMT|UTC)$/.test(value);
  const ms = isDate ? Date.parse(value) : Number.NaN;
  return ms >= 0 && ms < endOfTimeMs ? ms : null;
}

const unitMs = { ns: 1e-6, us: 1e-3, ms: 1, s: 1_000, min: 60_000 };

/** A length of time in whole milliseconds; negative ones, and those over a hundred days, are absent. */
export function durationOf(value: unknown, unit: keyof typeof unitMs): number | null {
  const number = numberOf(value);
  if (number === null) return null;
  // Rounded to a nanosecond first: 0.1 + 0.2 must not lose a millisecond.
  const ms = Math.floor(Math.round(number * unitMs[unit] * 1e6) / 1e6);
  return ms >= 0 && ms <= 8_640_000_000 ? ms : null;
}

/** An amount as decimal text: `0.0429`, never a float or an exponent. */
export function moneyOf(value: unknown, currency: string): Money | null {
  const amount = numberOf(value);
  if (amount === null || Math.abs(amount) >= 1e15) return null;
  if (typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value)) return { amount: value, currency };
  const text = String(amount);
  return { amount: text.includes("e") ? amount.toFixed(12).replace(/\.?0+$/, "") : text, currency };
}

/**
 * A phone number in E.164. Blanks and brackets, a leading `00`, a missing `+` before 11 to 15 digits and SIP or tel URIs
 * are read; names, extensions and national numbers are not, because nothing says of which country they are.
 */
export function phoneOf(value: unknown): string | null {
  if (typeof value !== "string") return typeof value === "number" ? phoneOf(String(value)) : null;
  if (/^\+[1-9]\d{1,14}$/.test(value)) return value;
  const user = /^(?:sips?:|tel:)?([^@;]*)/i.exec(value.trim())?.[1] ?? "";
  const number = user.replaceAll(/[\s().-]/g, "").replace(/^00(?=[1-9])/, "+");
  if (/^\+[1-9]\d{1,14}$/.test(number)) return number;
  return /^[1-9]\d{10,14}$/.test(number) ? `+${number}` : null;
}

/**
 * An event's identity out of its parts, unambiguous and readable: `status-update:7420f27a:ended:`. An absent part is empty.
 */
export function keyOf(...parts: readonly (string | number | null)[]): string {
  return parts.map((part) => escaped(String(part ?? ""))).join(":");
}

function escaped(part: string): string {
  return part
    .toWellFormed()
    .replaceAll(/[%:\p{Cc}]/gu, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
