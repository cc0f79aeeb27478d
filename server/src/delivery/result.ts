import type { Attempted } from "./attempt.ts";
import type { Next } from "./decide.ts";
import type { HandOff } from "./target.ts";

/** An attempt that was made and what follows from it. */
export type Result = { readonly item: HandOff; readonly attempted: Attempted; readonly next: Next };

/** After so many failed attempts a delivery is said to be failing. */
export const failingFrom = 4;
