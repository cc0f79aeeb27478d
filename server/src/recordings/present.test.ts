import { expect, test } from "vitest";

import { presentPeaks } from "./present.ts";

test("peaks made fewer lose nothing loud, and each pair stands for its time", () => {
  // Five buckets of 10 ms in two channels: lowest and highest of the left, then of the right.
  const peaks = Int8Array.from([-1, 1, 0, 0, -5, 2, 0, 0, -2, 9, -128, 127, 0, 0, 0, 0, -3, 3, -1, 1]);
  expect(presentPeaks(peaks, 2, 10, 10)).toEqual({
    bucket_ms: 10,
    channels: [
      [-1, 1, -5, 2, -2, 9, 0, 0, -3, 3],
      [0, 0, 0, 0, -128, 127, 0, 0, -1, 1],
    ],
  });
  expect(presentPeaks(peaks, 2, 3, 10)).toEqual({
    bucket_ms: 20,
    channels: [
      [-5, 2, -2, 9, -3, 3],
      [0, 0, -128, 127, -1, 1],
    ],
  });
  expect(presentPeaks(new Int8Array(0), 1, 10, 10)).toEqual({ bucket_ms: 10, channels: [[]] });
});
