/** How a source usually sends, and how it does now. Times are epoch milliseconds. Pure. */
export type Traffic = {
  readonly lastReceivedAt: number | null;
  /** The last days on which something came: how much, and the longest silence that ended on that day. */
  readonly days: readonly { readonly day: number; readonly count: number; readonly silenceMs: number }[];
  /** The last minutes in which something came. */
  readonly minutes: readonly Minute[];
};

type Minute = {
  readonly minute: number;
  readonly received: number;
  readonly refused: number;
  readonly reasons: Readonly<Record<string, number>>;
};

/** What one process heard of a source within half a minute. */
export type Heard = {
  readonly firstReceivedAt: number | null;
  readonly lastReceivedAt: number | null;
  readonly received: number;
  readonly refused: number;
  readonly reasons: Readonly<Record<string, number>>;
};

export const noTraffic: Traffic = { lastReceivedAt: null, days: [], minutes: [] };

/** Adds what was heard until `now`. */
export function addTo(traffic: Traffic, heard: Heard, now: number): Traffic {
  const { received, refused, reasons } = heard;
  const minute = Math.floor(now / minuteMs);
  const known = traffic.minutes.find((one) => one.minute === minute);
  const counted: Minute = {
    minute,
    received: received + (known?.received ?? 0),
    refused: refused + (known?.refused ?? 0),
    reasons: sum(known?.reasons ?? {}, reasons),
  };
  const minutes = traffic.minutes.filter((one) => one.minute > minute - keptMinutes && one.minute !== minute);
  return { ...addReceived(traffic, heard), minutes: [...minutes, counted] };
}

/** Whether a source that sends regularly has sent nothing for much longer than usual; null where nothing is usual yet. */
export function isSilent({ lastReceivedAt, days }: Traffic, now: number, silentMsMin: number): boolean | null {
  const [first, last] = [days[0], days.at(-1)];
  const count = days.reduce((all, one) => all + one.count, 0);
  if (lastReceivedAt === null || !first || !last) return null;
  if (last.day - first.day < usualDaysMin || count < usualCountMin) return null;
  // Nights and weekends are among the silences of two weeks.
  const longest = Math.max(...days.map(({ silenceMs }) => silenceMs));
  return now - lastReceivedAt > Math.max(silentMsMin, longest * muchLonger);
}

export type Refusals = {
  readonly since: number;
  readonly refused: number;
  readonly received: number;
  readonly reasons: Readonly<Record<string, number>>;
};

/** What was refused in the last ten minutes, beside what was taken. */
export function refusalsIn({ minutes }: Traffic, now: number): Refusals {
  const first = Math.floor(now / minuteMs) - keptMinutes + 1;
  const recent = minutes.filter(({ minute }) => minute >= first);
  return {
    since: Math.min(...recent.filter(({ refused }) => refused > 0).map(({ minute }) => minute * minuteMs), now),
    refused: recent.reduce((all, one) => all + one.refused, 0),
    received: recent.reduce((all, one) => all + one.received, 0),
    reasons: recent.map(({ reasons }) => reasons).reduce(sum, {}),
  };
}

const minuteMs = 60_000;
const dayMs = 86_400_000;
const keptMinutes = 10;
const keptDays = 14;
/** What is usual shows when a source has sent again after a whole week, and not from a handful of events. */
const usualDaysMin = 7;
const usualCountMin = 50;
const muchLonger = 2;

function addReceived(
  { lastReceivedAt: before, days }: Traffic,
  { firstReceivedAt, lastReceivedAt, received }: Heard,
): Pick<Traffic, "lastReceivedAt" | "days"> {
  if (firstReceivedAt === null || lastReceivedAt === null) return { lastReceivedAt: before, days };
  const day = Math.floor(lastReceivedAt / dayMs);
  const known = days.find((one) => one.day === day);
  const silenceMs = before === null ? 0 : Math.max(firstReceivedAt - before, 0);
  const today = {
    day,
    count: received + (known?.count ?? 0),
    silenceMs: Math.max(silenceMs, known?.silenceMs ?? 0),
  };
  const others = days.filter((one) => one.day > day - keptDays && one.day !== day);
  return {
    lastReceivedAt: Math.max(lastReceivedAt, before ?? 0),
    days: [...others, today].toSorted((a, b) => a.day - b.day),
  };
}

function sum(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const all: Record<string, number> = { ...a };
  for (const [name, count] of Object.entries(b)) all[name] = (all[name] ?? 0) + count;
  return all;
}
