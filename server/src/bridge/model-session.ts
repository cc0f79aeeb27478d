import type { BridgeSetup } from "#/providers/twilio/bridge-setup.ts";

import type { BridgedTurn } from "./turns.ts";

/** How a model is to speak on this call. Telephone sound in both directions, so that nothing is ever resampled. */
export function sessionUpdate(setup: BridgeSetup, history: readonly BridgedTurn[]): object {
  const format = { type: "audio/pcmu" };
  const language = setup.language === "" ? {} : { language: setup.language };
  return {
    type: "session.update",
    session: {
      type: "realtime",
      output_modalities: ["audio"],
      instructions: withHistory(setup.instructions, history),
      audio: {
        input: {
          format,
          turn_detection: { type: setup.turn_detection, create_response: true, interrupt_response: true },
          transcription: { model: setup.transcription_model, ...language },
        },
        output: { format, voice: setup.voice },
      },
    },
  };
}

/** Another model takes over in the middle of the call: it is told what was said. */
function withHistory(instructions: string, history: readonly BridgedTurn[]): string {
  if (history.length === 0) return instructions;
  const lines = history.slice(-turnsTold).map(({ role, text }) => `${role === "agent" ? "You" : "Caller"}: ${text}`);
  return `${instructions}\n\nThe call is under way. So far:\n${lines.join("\n")}\nGo on from there; do not greet again.`;
}

const turnsTold = 100;
