import type { EngineRef } from "@aftercall/contract/analysis/engine.ts";

/**
 * Whether what an engine writes lacks the "um"s that were said, so that counting them says nothing. Whisper learned from
 * subtitles, which have none; Deepgram and AssemblyAI write them only if they are asked to, and we do not ask. ElevenLabs Scribe
 * writes every sound. Of an engine that nobody knows it is taken to be so.
 */
export function leavesFillersOut(engine: EngineRef | null): boolean {
  return engine?.provider !== "elevenlabs";
}
