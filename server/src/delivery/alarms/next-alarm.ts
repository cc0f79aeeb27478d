/** Something that is wrong, or seems to be. Times are epoch milliseconds. */
export type Alarm = {
  readonly badSince: number;
  /** When it was told; null: it may pass by itself. */
  readonly toldAt: number | null;
  /** Since when it has been well again without a break; null while it is not. */
  readonly goodSince: number | null;
};

/** How long it must be wrong before it is told, and well before that is told. */
export type Patience = { readonly beginMs: number; readonly endMs: number };

/** `unclear`: neither wrong nor well; whatever held goes on. */
export type Level = "bad" | "unclear" | "good";

export type Step = { readonly alarm: Alarm | null; readonly said: "begun" | "ended" | null };

/** What becomes of an alarm by one look. Pure: the same looks give the same words, each transition one. */
export function nextAlarm(alarm: Alarm | null, level: Level, now: number, { beginMs, endMs }: Patience): Step {
  if (level === "bad") {
    const begun = alarm ?? { badSince: now, toldAt: null, goodSince: null };
    const isDue = begun.toldAt === null && now - begun.badSince >= beginMs;
    return { alarm: { ...begun, goodSince: null, toldAt: isDue ? now : begun.toldAt }, said: isDue ? "begun" : null };
  }
  if (!alarm || (level === "good" && alarm.toldAt === null)) return { alarm: null, said: null };
  if (level === "unclear") return { alarm: { ...alarm, goodSince: null }, said: null };
  const goodSince = alarm.goodSince ?? now;
  if (now - goodSince < endMs) return { alarm: { ...alarm, goodSince }, said: null };
  return { alarm: null, said: "ended" };
}
