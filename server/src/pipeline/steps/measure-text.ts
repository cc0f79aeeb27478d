import { measureToldOnly } from "#/metrics/moments.ts";
import { measureTurns } from "#/metrics/turns.ts";
import { soundsLikeMenu } from "#/models/builtin/menu.ts";
import { soundsLikeVoicemail } from "#/models/builtin/voicemail.ts";
import { leavesFillersOut } from "#/models/speech/fillers.ts";

import { builtin } from "../builtin.ts";
import { tellersOf, toldMoments } from "../moments.ts";
import { done, skipped } from "../outcome.ts";
import { once, type Step } from "../step.ts";

/** Numbers from the transcript, and whether it sounds like a voicemail or the menu of an exchange. */
export const measureText: Step = {
  name: "measure_text",
  needs: ["import_transcript", "transcribe"],
  tries: once,
  asks: () => false,
  input: (dossier) => {
    const { found, seen } = dossier;
    return [found.transcript?.id, found.transcript?.digest, seen.durationMs, ...tellersOf(dossier)];
  },
  run(dossier) {
    const { found, seen } = dossier;
    const mediaMs = found.recording?.facts?.durationMs ?? seen.durationMs;
    if (!found.words) {
      if (dossier.moments.size === 0) return skipped("no_transcript", "There is no transcript to measure.");
      const detail = "There is no transcript to measure, only what was told of holds, transfers and tools.";
      const text = measureToldOnly(toldMoments(dossier), mediaMs);
      return done({ text }, { engine: builtin, state: "partial", reason: "no_transcript", detail });
    }
    const { turns, language } = found.words;
    const isOurs = found.transcript?.origin === "stt";
    const fillersRemoved = isOurs && leavesFillersOut(dossier.steps.get("transcribe")?.engine ?? null);
    const text = measureTurns({ turns, mediaMs, language, told: toldMoments(dossier), fillersRemoved });
    const machine = soundsLikeVoicemail(found.words) ? "voicemail" : soundsLikeMenu(found.words) ? "menu" : null;
    return done({ text, machine }, { engine: builtin });
  },
};
