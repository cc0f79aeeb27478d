import type { React } from "#/calls/change.ts";
import type { Tx } from "#/db/transaction.ts";
import type { CallEvent, EventResult, ProviderRequest, RouteKind } from "#/providers/provider.ts";

/** A verified, parsed request that is ready to be stored. */
export type Arrival = {
  readonly tenantId: string;
  readonly sourceId: string;
  readonly provider: string;
  readonly route: RouteKind;
  /** Whether events about unknown calls make the call (own URLs), or wait for it (given routes). */
  readonly mayCreateCalls: boolean;
  /** Whose calls these are, where the source says so. */
  readonly userId: string | null;
  readonly request: ProviderRequest;
  readonly receivedAt: number;
  /** What was checked: `elevenlabs-v0`, `none`. */
  readonly verification: string;
  readonly events: readonly CallEvent[];
};

/** What became of each event of an arrival, in their order. */
export type Outcome = readonly EventResult[];

/** What other features contribute to the intake transaction; handed in by app.ts. */
export type IntakeHooks = {
  readonly react: React;
  /** Our campaigns by the names that calls use for them, made where they are new. Keys: `tenant\0name`. */
  readonly resolveCampaigns: (
    tx: Tx,
    names: readonly { tenantId: string; name: string }[],
  ) => Promise<Map<string, string>>;
  /** Claims training sessions for one run each; the same session never twice. */
  readonly claimSessions: (
    tx: Tx,
    wanted: readonly { tenantId: string; sessionId: string; communicationId: string; sourceId: string }[],
  ) => Promise<("claimed" | "exists" | "unknown_session")[]>;
};
