import { rm } from "node:fs/promises";

import type { Db } from "#/db/transaction.ts";
import { pricing } from "#/engines/price.ts";
import { verifyQuote } from "#/evaluation/evidence.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Config } from "#/kernel/config.ts";
import { deriveKey } from "#/kernel/secrets.ts";
import type { Tracing } from "#/kernel/tracing.ts";
import { createAnalyst } from "#/models/language/analyst.ts";
import type { SplitChannels } from "#/models/speech/answer.ts";
import { createTranscriber } from "#/models/speech/transcriber.ts";
import { createToolsFor, enginesFor } from "#/pipeline/tools.ts";
import type { RecordingDeps } from "#/recordings/deps.ts";

import type { EngineParts } from "./engines.ts";

export type ToolParts = {
  readonly config: Config;
  readonly db: Db;
  readonly clock: Clock;
  readonly engines: EngineParts;
  readonly recordings: RecordingDeps;
  readonly tracing: Tracing | null;
};

export type PipelineTools = ReturnType<typeof composeTools>;

/** What the steps between the end of a call and its results work with. */
export function composeTools({ config, db, clock, engines: { engines }, recordings, tracing }: ToolParts) {
  const markKey = deriveKey(config.secret, "marks of prompts");
  const splitChannels = splitInto(recordings);
  return {
    tracing,
    toolsFor: createToolsFor({
      db,
      engines,
      recordings,
      timeZone: config.timeZone,
      country: config.country,
      analystOf: (engine) =>
        createAnalyst(engine, {
          http: engines.httpFor(engine),
          price: pricing(engine.price),
          verifyQuote,
          markKey,
          tracing,
        }),
      transcriberOf: (engine) =>
        createTranscriber(engine, {
          http: engines.httpFor(engine),
          clock,
          price: pricing(engine.price),
          splitChannels,
          tracing,
        }),
    }),
    enginesOf: enginesFor(engines, () => clock.now()),
  };
}

/** Each channel of a recording as a file for a moment. */
function splitInto({ audio, spool }: RecordingDeps): SplitChannels {
  return async ({ path, channels }, signal) => {
    const paths = Array.from({ length: channels }, () => spool.newPath("wav"));
    const remove = async () => {
      await Promise.all(paths.map((one) => rm(one, { force: true })));
    };
    try {
      return { files: await audio.split(path, paths, signal), remove };
    } catch (error) {
      await remove();
      throw error;
    }
  };
}
