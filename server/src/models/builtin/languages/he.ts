import type { Dictionary } from "./dictionary.ts";

export const hebrew: Dictionary = {
  language: "he",
  speakers: { agent: "נציג", human_agent: "נציג", customer: "לקוח" },
  quoted: (count) => `סיכום בציטוטים: ${sentences(count)} מתוך השיחה.`,
  measured(key, role, amount) {
    const name = metrics.get(key) ?? key;
    const whose = role ? ` (${roles.get(role) ?? role})` : "";
    return `${name}${whose}: ${amount}`;
  },
  amount(value, unit) {
    switch (unit) {
      case "ms":
        return seconds(Number((value / 1000).toFixed(1)));
      case "ratio":
        return `${Number((value * 100).toFixed(1))}%`;
      case "count":
      case "score":
        return String(value);
      case "per_min":
        return `${value} לדקה`;
      case "per_hour":
        return `${value} לשעה`;
      case "per_100_words":
        return `${value} לכל 100 מילים`;
      case "wpm":
        return `${value} מילים לדקה`;
    }
  },
  comparison(op, amount) {
    const phrases = { "<": "פחות מ־", "<=": "לכל היותר ", ">": "יותר מ־", ">=": "לפחות " };
    return `${phrases[op]}${amount}`;
  },
  between: (low, high) => `בין ${low} ל־${high}`,
  wanted: (measured, wanted) => `${measured}; הרצוי: ${wanted}.`,
  notKnown: (key, reason) => `${metrics.get(key) ?? key}: לא ידוע בשיחה הזו${reason ? ` (${reason})` : ""}.`,
  said(what, isSaid, range) {
    const where = range ? ` בתורות ${range.from} עד ${range.to}` : "";
    return `${what} ${isSaid ? "נאמר" : "לא נאמר"}${where}.`;
  },
  theNumber: "המספר המבוקש",
  noSuchPart: "לא ניתן לקבוע את חלק השיחה המדובר.",
  field(name, state) {
    if (state === "ambiguous") return `${name}: נאמרו כמה ערכים.`;
    return state === "found" ? `${name}: נמצא.` : `${name}: לא הוזכר.`;
  },
  fieldMissing: "השדה לא נבדק.",
  needsModel: "נדרש מודל שפה.",
  failsWithout: "בלי זה השיחה נכשלת.",
  worth: (points) => `שווה ${points === 1 ? "נקודה אחת" : `${points} נקודות`} בכרטיס הניקוד.`,
  criteria: {
    greeting: "מברך בפתיחת השיחה",
    talk_ratio: "משאיר לצד השני מקום לדבר",
    monologue: "אין מונולוג ארוך מ־90 שניות",
    questions: "שואל לפחות שתי שאלות",
    interruptions: "קוטע פעמיים לכל היותר",
    response_latency: "עונה בתוך שלוש שניות",
    closing: "מודה או נפרד בסוף השיחה",
  },
};

function seconds(count: number): string {
  if (count === 1) return "שנייה אחת";
  return count === 2 ? "שתי שניות" : `${count} שניות`;
}

function sentences(count: number): string {
  const few = ["אין משפטים", "משפט אחד", "שני משפטים"];
  return few[count] ?? `${count} משפטים`;
}

const roles: ReadonlyMap<string, string> = new Map([
  ["agent", "נציג"],
  ["human_agent", "נציג אנושי"],
  ["customer", "לקוח"],
  ["system", "מערכת"],
  ["tool", "כלי"],
  ["unknown", "דובר לא ידוע"],
]);

const metrics: ReadonlyMap<string, string> = new Map([
  ["talk_ms", "זמן דיבור"],
  ["talk_ratio", "יחס דיבור"],
  ["talk_share_of_call", "חלק הדיבור בשיחה"],
  ["silence_ms", "שתיקה"],
  ["silence_ratio", "שיעור השתיקה"],
  ["dead_air", "שתיקות ארוכות"],
  ["dead_air_long", "שתיקות ארוכות מאוד"],
  ["dead_air_ms", "זמן של שתיקות ארוכות"],
  ["overlap_ms", "דיבור בו־זמני"],
  ["backchannels", "תגובות הקשבה"],
  ["interruptions", "קטיעות"],
  ["response_latency_median_ms", "זמן תגובה חציוני"],
  ["response_latency_p95_ms", "זמן תגובה באחוזון 95"],
  ["response_latency_min_ms", "זמן התגובה הקצר ביותר"],
  ["longest_monologue_ms", "המונולוג הארוך ביותר"],
  ["speaker_switches", "חילופי דוברים"],
  ["speaker_switches_per_min", "קצב חילופי דוברים"],
  ["turns", "תורות דיבור"],
  ["words", "מילים"],
  ["wpm", "קצב דיבור"],
  ["filler_per_100_words", "מילות מילוי"],
  ["filler_per_min", "קצב מילות מילוי"],
  ["questions", "שאלות"],
  ["questions_per_hour", "קצב שאלות"],
  ["sentiment", "רגש"],
  ["sentiment_trend", "מגמת הרגש"],
  ["hold_ms", "זמן המתנה"],
  ["ivr_ms", "זמן במענה אוטומטי"],
  ["transfers", "העברות"],
  ["tool_calls", "שימושים בכלים"],
  ["tool_errors", "שגיאות בכלים"],
  ["tool_latency_median_ms", "זמן תגובה חציוני של כלים"],
  ["tool_latency_p95_ms", "זמן תגובה של כלים באחוזון 95"],
]);
