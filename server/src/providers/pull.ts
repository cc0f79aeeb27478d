import { z } from "zod";

import type { Alias, CallEvent, ParseInput, Secret } from "./provider.ts";

/**
 * How a provider is asked for what a webhook would have said, had it come. Pure, as everything of a provider: requests are
 * described and answers read; whoever asks does the network.
 */
export interface Pull<Setup> {
  /** The slot of the secret that its API takes. */
  readonly slot: string;
  /** The questions about one call; none: the credential is missing, or the provider's own name of the call. */
  call(input: PullInput<Setup> & WantedCall): readonly PullRequest[];
  /** Reads the stored answer to such a question; `request.url` is its URL. Throws MalformedBody for what is no answer. */
  read(input: ParseInput<Setup>): CallEvent[];
  /** The question which calls began since; null: nothing may be asked, because the credential or the address is missing. */
  list(input: PullInput<Setup> & { readonly sinceMs: number }): PullRequest | null;
  /** Reads one page of the answer. */
  readList(input: PullInput<Setup> & { readonly url: string; readonly body: Buffer }): ListedPage;
}

export type PullInput<Setup> = { readonly secrets: readonly Secret[]; readonly setup: Setup; readonly nowMs: number };

export type WantedCall = {
  readonly aliases: readonly Alias[];
  /** LiveKit asks for rooms by name. */
  readonly roomName: string | null;
};

/** One request to a provider's API. */
export type PullRequest = {
  readonly method: "GET" | "POST";
  /** A fragment says about which call it asks: it is kept with the answer and never sent. */
  readonly url: string;
  /** With the credentials, which go to the host of this URL alone: no redirect is followed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
};

/** A call as a list names it. */
export type ListedCall = WantedCall & {
  readonly isOver: boolean;
  /** Epoch milliseconds; null: not told. */
  readonly endedAt: number | null;
  readonly hasRecording: boolean;
};

export type ListedPage = { readonly calls: readonly ListedCall[]; readonly next: PullRequest | null };

/** What is pulled weighs a little less than what was sent: a webhook that came says the same and more. */
export const pulledWeight = 4;

/** The part of a source's settings that says where its provider's API is, and whether it is asked. */
export function apiSetup(baseUrl: string, described: string) {
  return z
    .object({
      base_url: z
        .union([z.literal(""), z.url({ protocol: /^https?$/ })])
        .default(baseUrl)
        .describe(described),
      polls: z
        .boolean()
        .default(true)
        .describe("Ask the API for calls whose webhooks did not come, where the secret for it is set"),
    })
    .prefault({})
    .describe("The provider's API, which is asked for what a lost webhook would have said");
}

/** An address below the base URL. Never another host: credentials go along. */
export function below(baseUrl: string, path: string): string {
  return `${baseUrl.replace(/\/+$/, "")}${path}`;
}
