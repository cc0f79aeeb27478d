import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, expect, test } from "vitest";

import { englishScript, hebrewScript, layOut, type SpokenCall, trueSpeech } from "../../test/harness/audio/calls.ts";
import { recordedForms, recordingFile, stereo } from "../../test/harness/audio/files.ts";
import { talkRatio } from "../../test/harness/audio/intervals.ts";
import { hasSynthesiser, synthesise } from "../../test/harness/audio/synthesise.ts";
import { listen } from "./listen.ts";

const folder = await mkdtemp(path.join(tmpdir(), "synthesised-"));
afterAll(() => rm(folder, { recursive: true }));

// The calls of the other tests are laid out of utterances that were synthesised once.
test.skipIf(!hasSynthesiser).each([
  ["English", englishScript],
  ["Hebrew", hebrewScript],
])("%s that is synthesised now is heard like what was synthesised once, in every form", async (language, script) => {
  const [now, once] = [layOut(script, synthesise), layOut(script)];
  for (const form of recordedForms) {
    // oxlint-disable-next-line no-await-in-loop -- One thing at a time.
    const [heardNow, heardOnce] = [await heard(now, form, language), await heard(once, form, language)];
    expect(Math.abs(heardNow.ratio - talkRatio(trueSpeech(now, "agent"), trueSpeech(now, "customer")))).toBeLessThan(
      0.02,
    );
    expect(Math.abs(heardNow.ratio - heardOnce.ratio)).toBeLessThan(0.02);
    expect(heardNow.facts).toEqual(heardOnce.facts);
  }
});

async function heard(call: SpokenCall, form: (typeof recordedForms)[number], name: string) {
  const file = path.join(folder, name);
  await writeFile(file, await recordingFile(form, stereo(call)));
  const { facts, speechByChannel } = await listen(file);
  const [customer = [], agent = []] = speechByChannel;
  return { facts, ratio: talkRatio(agent, customer) };
}
