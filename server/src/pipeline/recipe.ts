import { behindMask } from "./mask.ts";
import type { Step } from "./step.ts";
import { coach } from "./steps/coach.ts";
import { extract } from "./steps/extract.ts";
import { fetchRecording } from "./steps/fetch-recording.ts";
import { importTranscript } from "./steps/import-transcript.ts";
import { measureAudio } from "./steps/measure-audio.ts";
import { measureText } from "./steps/measure-text.ts";
import { nameTopics } from "./steps/name-topics.ts";
import { rateSentiment } from "./steps/rate-sentiment.ts";
import { redact } from "./steps/redact.ts";
import { score } from "./steps/score.ts";
import { summarise } from "./steps/summarise.ts";
import { track } from "./steps/track.ts";
import { transcribe } from "./steps/transcribe.ts";

/** The stages between the end of a call and call.completed, in the order in which they are tried and shown. */
export const recipe: readonly Step[] = [
  fetchRecording,
  measureAudio,
  importTranscript,
  transcribe,
  measureText,
  redact,
  ...[summarise, extract, track, nameTopics, rateSentiment, score, coach].map(behindMask),
];
