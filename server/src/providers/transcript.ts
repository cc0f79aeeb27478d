import type { Transcript, Turn } from "@aftercall/contract/call.ts";

/**
 * A transcript out of what a provider sends: its turns, its text, or both. Without a text, what agent and customer said
 * is put together line by line; null when nothing was said at all.
 */
export function transcriptOf({ turns, text = null, language = null }: Said): Transcript | null {
  const whole = text?.trim() ? text : spoken(turns);
  if (turns.length === 0 && whole === "") return null;
  return { text: whole, turns: [...turns], language };
}

export type Said = {
  readonly turns: readonly Turn[];
  readonly text?: string | null;
  readonly language?: string | null;
};

const speakers: ReadonlyMap<Turn["role"], string> = new Map([
  ["agent", "Agent"],
  ["customer", "Customer"],
  ["human_agent", "Human agent"],
  ["unknown", "Speaker"],
]);

function spoken(turns: readonly Turn[]): string {
  return turns
    .flatMap(({ role, text }) => {
      const speaker = speakers.get(role);
      return speaker && text ? [`${speaker}: ${text}`] : [];
    })
    .join("\n");
}
