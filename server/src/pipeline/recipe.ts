import type { Step } from "./step.ts";
import { importTranscript } from "./steps/import-transcript.ts";
import { later } from "./steps/later.ts";

/** The stages between the end of a call and call.completed, in the order in which they are tried and shown. */
export const recipe: readonly Step[] = [
  later("fetch_recording", []),
  later("measure_audio", ["fetch_recording"]),
  importTranscript,
  later("transcribe", ["import_transcript", "fetch_recording", "measure_audio"]),
  later("measure_text", ["transcribe"]),
  later("redact", ["transcribe"]),
  later("summarise", ["measure_text", "redact"]),
  later("extract", ["measure_text", "redact"]),
  later("track", ["measure_text", "measure_audio"]),
  later("score", ["measure_text", "measure_audio", "extract", "track"]),
  later("coach", ["score"]),
];
