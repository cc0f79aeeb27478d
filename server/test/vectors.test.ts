import { describe, expect, test } from "vitest";

import { providerFolders, providerOf, requestOf, vectorsOf } from "./harness/provider-files.ts";

/** Requests that were signed and checked with the providers' own libraries; the clock stands at the time in each vector. */
describe.each(providerFolders())("%s", (folder) => {
  test.each(vectorsOf(folder).map((vector) => [vector.id, vector] as const))("%s", (_, vector) => {
    const provider = providerOf(folder);
    const verdict = provider.verify({
      request: requestOf(vector.request),
      secrets: vector.secrets,
      setup: provider.setup.parse(vector.setup ?? {}),
      nowMs: vector.now_ms,
    });
    const expected = vector.expect.valid
      ? { ok: true, scheme: vector.scheme }
      : { ok: false, code: vector.expect.code };
    expect(verdict).toEqual(expected);
  });
});
