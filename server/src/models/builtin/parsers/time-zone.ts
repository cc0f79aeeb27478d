export type Day = { readonly year: number; readonly month: number; readonly day: number };
export type TimeOfDay = { readonly hour: number; readonly minute: number };

/** A day, or an instant with the offset that the zone has on that day. */
export function isoOf({ year, month, day }: Day, time: TimeOfDay | null, zone: string): string {
  const date = `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
  if (!time) return date;
  const minutes = offsetMinutes(Date.UTC(year, month - 1, day, time.hour, time.minute), zone, "local");
  const sign = minutes < 0 ? "-" : "+";
  const offset = `${sign}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return `${date}T${two(time.hour)}:${two(time.minute)}:00${offset}`;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

/**
 * Minutes by which a time zone is ahead of UTC at an instant; with `local`, at the instant that a clock of the zone shows as
 * those UTC fields. A zone that does not exist is UTC.
 */
export function offsetMinutes(atMs: number, zone: string, meaning: "instant" | "local" = "instant"): number {
  const first = offsetAt(atMs, zone);
  // Where a clock is put forward between the two, the offset of the guessed instant is the right one.
  return meaning === "instant" ? first : offsetAt(atMs - first * 60_000, zone);
}

function offsetAt(atMs: number, zone: string): number {
  const fields = fieldsAt(atMs, zone);
  return fields
    ? Math.round((Date.UTC(fields.year, fields.month - 1, fields.day, fields.hour, fields.minute) - atMs) / 60_000)
    : 0;
}

/** What a calendar and a clock of the zone show; null for a zone that does not exist. */
export function fieldsAt(atMs: number, zone: string) {
  const parts = formatterOf(zone)?.formatToParts(atMs);
  if (!parts) return null;
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0);
  return { year: of("year"), month: of("month"), day: of("day"), hour: of("hour"), minute: of("minute") };
}

/** Making one takes longer than all else about a date, so those of the zones met so far are kept; they hold no state. */
const formatters = new Map<string, Intl.DateTimeFormat | null>();
const zonesKept = 64;

function formatterOf(zone: string): Intl.DateTimeFormat | null {
  const kept = formatters.get(zone);
  if (kept !== undefined) return kept;
  const made = formatter(zone);
  if (formatters.size < zonesKept) formatters.set(zone, made);
  return made;
}

function formatter(timeZone: string): Intl.DateTimeFormat | null {
  const field = "numeric";
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: field,
      month: field,
      day: field,
      hour: field,
      minute: field,
    });
  } catch {
    return null;
  }
}
