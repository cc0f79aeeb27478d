import type { CallDirection, TurnRole } from "@aftercall/contract/call.ts";

import type { Segment } from "./recognise.ts";

export type Roles = {
  readonly of: ReadonlyMap<string, TurnRole>;
  /** 0 to 1; below 0.8 it is to be shown as uncertain. */
  readonly confidence: number;
};

/**
 * Guesses which of the speakers is the agent, by what agents say and by who picks up. With one speaker, or with none told apart,
 * nobody is named. A guess is labelled as one wherever it is shown.
 */
export function guessRoles(
  segments: readonly (Segment & { readonly speaker: string })[],
  direction: CallDirection | null,
): Roles {
  const speakers = [...new Set(segments.map(({ speaker }) => speaker))];
  if (speakers.length < 2) return { of: new Map(speakers.map((one) => [one, "unknown"])), confidence: 0 };
  const scores = speakers.map((speaker, position) => {
    const said = segments.filter((one) => one.speaker === speaker).slice(0, openingTurns);
    return {
      speaker,
      score: said.reduce((sum, { text }) => sum + signsIn(text), 0) + positionBonus(position, direction),
    };
  });
  const [agent, next] = scores.toSorted((a, b) => b.score - a.score);
  const lead = (agent?.score ?? 0) - (next?.score ?? 0);
  const roles = speakers.map((speaker): [string, TurnRole] => [
    speaker,
    speaker === agent?.speaker ? "agent" : "customer",
  ]);
  // A third voice may be a colleague, a child, a machine: nobody says.
  const told = speakers.length === 2 ? lead : lead / 2;
  return { of: new Map(roles), confidence: Math.min(0.95, 0.5 + told * 0.15) };
}

/** Greetings and introductions stand at the beginning. */
const openingTurns = 4;

/** Whoever is called speaks first: the agent's side of an inbound call, the customer of an outbound one. */
function positionBonus(position: number, direction: CallDirection | null): number {
  if (direction === "inbound") return position === 0 ? 1 : 0;
  return direction === "outbound" && position === 1 ? 1 : 0;
}

function signsIn(text: string): number {
  const lower = text.toLowerCase().replace(/\p{Mn}/gu, "");
  return signsOfAgents.filter((sign) => sign.test(lower)).length;
}

const signsOfAgents: readonly RegExp[] = [
  /thank(?:s| you) for calling/,
  /how (?:can|may) i (?:help|assist)/,
  /(?:this is|my name is|i'm) \S+(?: \S+)? (?:from|with|calling from|of)\b/,
  /this call (?:is|may be|might be) (?:being )?recorded/,
  /am i speaking (?:with|to)/,
  /(?:במה|איך) (?:אפשר|אוכל|אני יכול(?:ה)?) לעזור/,
  /מדבר(?:ת)? \S+(?: \S+)? מ/,
  /תודה שהתקשרת|תודה שפנית/,
  /השיחה מוקלטת/,
  /שלום.{0,30}(?:מדבר|מדברת) /,
  /gracias por llamar|en qué (?:le |te )?puedo ayudar/,
  /merci d'appeler|comment puis-je vous aider/,
  /wie kann ich (?:ihnen )?helfen|danke für ihren anruf/,
  /чем могу (?:вам )?помочь|спасибо за звонок/,
];
