import type { Turn, TurnRole } from "@aftercall/contract/call.ts";

/** The two sides of a call. A person who took over from the agent speaks for the same side. */
export type Side = "agent" | "customer";

/** The side a role speaks for; null where it is not known or nobody speaks. */
export function sideOf(role: TurnRole): Side | null {
  if (role === "agent" || role === "human_agent") return "agent";
  return role === "customer" ? "customer" : null;
}

/**
 * Tells whether a turn of these counts as said by a role: the same role, or the agent's side for the agent. Where nobody's
 * role is known (a transcript that is only a text) every turn may be anybody's.
 */
export function speakersOf(turns: readonly Turn[]): (turn: Turn, role: TurnRole) => boolean {
  const isAnybody = !turns.some((one) => sideOf(one.role));
  return (turn, role) =>
    turn.role === role || (role === "agent" && turn.role === "human_agent") || (isAnybody && turn.role === "unknown");
}

/** The same for one turn. */
export function speaksAs(turn: Turn, role: TurnRole, turns: readonly Turn[]): boolean {
  return speakersOf(turns)(turn, role);
}
