import { z } from "zod";

import { defineProvider, jsonAnswer, type Provider } from "#/providers/provider.ts";

/** A provider of a test's own: no real name, so that it meets nothing another test made. */
export function testProvider(given: Partial<Provider> & { name: string }): Provider {
  return defineProvider<z.ZodType>({
    title: "Test Voices",
    callAlias: "generic",
    givenRoutesCreate: true,
    setup: z.strictObject({
      tolerance_seconds: z.number().int().max(3600).default(300).describe("How old a request may be."),
    }),
    secrets: [{ slot: "secret", title: "Webhook secret", env: ["TEST_WEBHOOK_SECRET"] }],
    givenRoutes: [{ method: "POST", path: `/webhooks/${given.name}/ended` }],
    accepts: ["json"],
    bodyBytesMax: 1_000_000,
    verify: () => ({ ok: true, scheme: "none" }),
    parse: () => [],
    answer: () => jsonAnswer(200, {}),
    ...given,
  });
}
