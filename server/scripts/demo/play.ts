import type { Api } from "./api.ts";

/** One webhook, as its provider sends it. */
export type Webhook = {
  readonly what: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** One call, as its provider tells it. */
export type Play = {
  /** The provider's own id of the call. */
  readonly providerCallId: string;
  readonly webhooks: readonly Webhook[];
  /** Which of the webhooks says the last thing that `call.completed` waits for. */
  readonly completedBy: string;
};

/** What a provider knows of the server: the URL and the secret that were entered in its console. */
export type Stage = {
  readonly publicUrl: string;
  /** A secret by the name of its environment variable. */
  readonly secret: (variable: string) => string;
  /** Milliseconds; the calls of the demo ended a moment before. */
  readonly now: number;
  readonly api: Api;
};

export type Player = {
  readonly provider: string;
  readonly language: "English" | "Hebrew";
  play(stage: Stage): Promise<Play>;
};
