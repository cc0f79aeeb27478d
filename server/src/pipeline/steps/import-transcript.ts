import { type Dossier, wordsIn } from "../dossier.ts";
import { done, skipped, waiting } from "../outcome.ts";
import { once, type Step } from "../step.ts";

/** Takes what the provider sent of what was said, and waits for it while a report was promised and has not come. */
export const importTranscript: Step = {
  name: "import_transcript",
  needs: [],
  tries: once,
  asks: () => false,
  input: ({ told, record }) => [told?.id, told?.digest, record.state.is_reported, record.state.awaits_report],
  run(dossier, { now, limits }) {
    const until = dossier.startedAt + limits.reportMs;
    if (isReportMissing(dossier) && now < until) return waiting(until, "The provider's report has not come yet.");
    if (dossier.told) return done({ transcript: dossier.told, words: wordsIn(dossier.told) });
    return skipped("no_provider_transcript", "The provider sent no transcript.");
  },
};

function isReportMissing({ record }: Dossier): boolean {
  return record.state.awaits_report && !record.state.is_reported;
}
