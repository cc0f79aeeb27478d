import type { Answer, ProviderRequest } from "./provider.ts";

/** A webhook as HTTP hands it to the inbox: on a path kept from a given system, or on the URL of one source. */
export type IncomingWebhook =
  | {
      readonly route: "given";
      /** Name of the provider whose given route this is. */
      readonly provider: string;
      readonly request: ProviderRequest;
      readonly remoteAddress: string;
    }
  | {
      readonly route: "own";
      /** Slug of the source. */
      readonly source: string;
      readonly request: ProviderRequest;
      readonly remoteAddress: string;
    };

/** Takes a webhook in and says what to answer. Never throws for what a sender can cause. */
export type Receive = (webhook: IncomingWebhook) => Promise<Answer>;
