import { join } from "node:path";

import { spreadOf } from "../load/percentiles.ts";
import { startRemote } from "../machine/remote.ts";
import type { Analyst, Parts } from "./analyst.ts";

/** Processor time of metrics, summary, fields and trackers for one transcript, in milliseconds. */
export type Analysis = {
  readonly name: string;
  readonly turns: number;
  readonly characters: number;
  /** In a process that has just started. */
  readonly first: number;
  /** In one that is warm, median, and by part. */
  readonly warm: number;
  readonly parts: Parts;
  readonly parseMs: number;
};

const transcripts = [
  { name: "60 minutes, Hebrew", language: "he", minutes: 60 },
  { name: "60 minutes, English", language: "en", minutes: 60 },
  { name: "3 minutes, Hebrew", language: "he", minutes: 3 },
  { name: "3 minutes, English", language: "en", minutes: 3 },
] as const;

/** Each transcript in a process of its own. */
export async function measureAnalysis(times: number): Promise<Analysis[]> {
  const measured: Analysis[] = [];
  for (const { name, ...asked } of transcripts) {
    const analyst = startRemote<Analyst>(join(import.meta.dirname, "analyst.ts"));
    // oxlint-disable no-await-in-loop -- One after the other: they would share the processor.
    const { runs, ...about } = await analyst.call("analyse", { ...asked, times });
    await analyst.stop();
    // oxlint-enable no-await-in-loop
    const warmRuns = runs.slice(Math.floor(runs.length / 4));
    const middle = (of: (parts: Parts) => number) => spreadOf(warmRuns.map(of)).median;
    const parts = {
      metrics: middle(({ metrics }) => metrics),
      summary: middle(({ summary }) => summary),
      fields: middle(({ fields }) => fields),
      trackers: middle(({ trackers }) => trackers),
    };
    measured.push({ name, ...about, first: runs[0] ? sum(runs[0]) : Number.NaN, warm: middle(sum), parts });
  }
  return measured;
}

function sum(parts: Parts): number {
  return Object.values(parts).reduce((total, ms) => total + ms, 0);
}
