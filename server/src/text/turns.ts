import type { Transcript, Turn, TurnRole } from "@aftercall/contract/call.ts";

/**
 * The turns of a transcript. Where the provider sent nothing but a text, its lines are the turns, without times; who speaks
 * is read from a label in front (`Customer: …`, `AI: …`, `לקוח: …`), which is not part of the turn's text.
 */
export function turnsOf({ turns, text }: Transcript): readonly Turn[] {
  if (turns.length > 0) return turns;
  return text.split(/\r\n?|\n/).flatMap((line) => {
    const { role, said } = speakerOf(line.trim());
    return said ? [{ role, text: said, start_ms: null, end_ms: null }] : [];
  });
}

/** Whether somebody spoke this turn; tools and system messages are no speech. */
export function isSpeech({ role, text }: Turn): boolean {
  return role !== "system" && role !== "tool" && text.trim() !== "";
}

function speakerOf(line: string): { role: TurnRole; said: string } {
  const [whole = "", label = ""] = /^([\p{L} _]{2,20})\s*:\s+/u.exec(line) ?? [];
  const role = labels.get(label.trim().toLowerCase().replaceAll(" ", "_"));
  return role ? { role, said: line.slice(whole.length) } : { role: "unknown", said: line };
}

const labels: ReadonlyMap<string, TurnRole> = new Map(
  (
    [
      ["agent", "agent ai bot assistant נציג נציגה סוכן"],
      ["human_agent", "human_agent representative"],
      ["customer", "customer user caller client human לקוח לקוחה מתקשר"],
      ["system", "system"],
      ["tool", "tool"],
      ["unknown", "speaker דובר"],
    ] as const
  ).flatMap(([role, words]) => words.split(" ").map((word) => [word, role] as const)),
);
