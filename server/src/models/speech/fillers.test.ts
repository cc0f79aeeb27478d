import { expect, test } from "vitest";

import { leavesFillersOut } from "./fillers.ts";

const engine = { kind: "stt", provider: null, model: null, version: null, prompt_sha256: null } as const;

test("the ums of a call are counted only where the engine writes them", () => {
  for (const provider of ["openai", "groq", "deepgram", "assemblyai", "whisper.example.com"]) {
    expect(leavesFillersOut({ ...engine, provider }), provider).toBe(true);
  }
  expect(leavesFillersOut({ ...engine, provider: "elevenlabs" })).toBe(false);
  expect(leavesFillersOut(null)).toBe(true);
});
