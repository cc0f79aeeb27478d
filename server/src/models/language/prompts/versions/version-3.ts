import { version2 } from "./version-2.ts";
import type { Wording } from "./wording.ts";

/** Asks what to keep, to start and to stop. */
export const version3: Wording = {
  ...version2,
  asked: {
    ...version2.asked,
    coaching: () =>
      "coaching: for the agent. strengths: at most 5 short sentences. improvements: at most 5, each with what to do better, why, what to say instead, the id of the criterion it belongs to or null, and evidence. keep, start, stop: at most 3 short lines each, what the agent should go on doing, begin to do and leave, only what was heard or missed in this call. highlights: at most 5 moments, each with the turn and the quote.",
  },
};
