import { z } from "zod";

/**
 * The shapes of /v1 that this server speaks, by the day from which each counts; the newest first. A field that is added makes no
 * new one: docs/guides/what-may-change.md says what does.
 */
export const apiVersions = ["2026-11-21"] as const;

/** What new API keys and endpoints are made with, and what counts where nobody says anything. */
export const apiVersion = apiVersions[0];

/** Of a request: the shape that is wanted. Of an answer: the shape that it has. */
export const apiVersionHeader = "Aftercall-Version";

/** The shape that something was made with: it stays when newer ones come. */
export const ApiVersion = z.string().meta({
  description: "The shape of /v1 that it was made with, a date. It stays when a newer one comes.",
  examples: [apiVersion],
});
