import type { IdKind } from "@aftercall/contract/id.ts";

/** One kind of line of an export: the rows of a table, in the order of its key. */
export type Section = {
  readonly kind: string;
  readonly table: string;
  /** Columns of the key beside the tenant, with their types. */
  readonly key: readonly (readonly [column: string, type: "uuid" | "text" | "int" | "timestamptz"])[];
  /** Secrets, and what means nothing outside of this database. */
  readonly omit?: readonly string[];
  /** Bytes, written as base64. */
  readonly bytes?: readonly string[];
  /** Rows of a page, where they may be large. */
  readonly rows?: number;
  readonly id?: IdKind;
};

const byId = [["id", "uuid"]] as const;

/** Everything that a tenant owns, in an order in which a line comes after those that it names. */
export const sections: readonly Section[] = [
  { kind: "user", table: "users", key: byId, id: "user" },
  { kind: "api_key", table: "api_keys", key: byId, omit: ["digest"], id: "api_key" },
  { kind: "identity_provider", table: "identity_providers", key: byId, id: "identity_provider" },
  { kind: "retention_policy", table: "retention_policies", key: [["tenant_id", "uuid"]] },
  { kind: "source", table: "sources", key: byId, id: "source" },
  {
    kind: "endpoint",
    table: "endpoints",
    key: byId,
    omit: ["sealed_signature_secret", "sealed_headers", "sealed_auth"],
    id: "endpoint",
  },
  { kind: "engine", table: "engines", key: [["kind", "text"]], omit: ["sealed_api_key"] },
  { kind: "event_type", table: "event_types", key: [["name", "text"]] },
  {
    kind: "analysis_plan",
    table: "analysis_plans",
    key: [
      ["id", "uuid"],
      ["version", "int"],
    ],
    id: "analysis_plan",
  },
  { kind: "test_case", table: "test_cases", key: byId, id: "test_case" },
  { kind: "campaign", table: "campaigns", key: byId, id: "campaign" },
  { kind: "campaign_progress", table: "campaign_progress", key: [["campaign_id", "uuid"]] },
  { kind: "assignment", table: "assignments", key: byId, id: "assignment" },
  { kind: "call", table: "calls", key: byId, id: "call" },
  {
    kind: "call_alias",
    table: "call_aliases",
    key: [
      ["kind", "text"],
      ["value", "text"],
    ],
  },
  { kind: "event", table: "events", key: byId, omit: ["xid"], bytes: ["body", "body_digest"], rows: 8, id: "event" },
  { kind: "event_application", table: "event_applications", key: byId },
  { kind: "transcript", table: "transcripts", key: byId, rows: 20 },
  { kind: "call_moments", table: "call_moments", key: [["event_id", "uuid"]], rows: 20 },
  {
    kind: "recording",
    table: "recordings",
    key: byId,
    omit: ["sealed_key", "blob_key", "source_digest"],
    bytes: ["sha256"],
    id: "recording",
  },
  { kind: "analysis_run", table: "analysis_runs", key: byId, omit: ["input_hash"], id: "analysis_run" },
  { kind: "engine_cost", table: "engine_costs", key: byId },
  { kind: "evaluation_override", table: "evaluation_overrides", key: byId },
  { kind: "evaluation_review", table: "evaluation_reviews", key: byId },
  {
    kind: "metric_set",
    table: "metric_sets",
    key: [
      ["call_id", "uuid"],
      ["basis", "text"],
    ],
  },
  { kind: "training_session", table: "training_sessions", key: byId, id: "training_session" },
  {
    kind: "training_run",
    table: "training_runs",
    key: [
      ["session_id", "uuid"],
      ["run_id", "uuid"],
    ],
  },
  { kind: "message", table: "messages", key: byId, id: "message" },
  {
    kind: "message_body",
    table: "message_bodies",
    key: [
      ["message_id", "uuid"],
      ["format", "text"],
    ],
    bytes: ["body"],
    rows: 20,
  },
  { kind: "delivery", table: "deliveries", key: byId, id: "delivery" },
  {
    kind: "attempt",
    table: "attempts",
    key: [
      ["delivery_id", "uuid"],
      ["number", "int"],
      ["started_at", "timestamptz"],
    ],
    bytes: ["response_body"],
    rows: 20,
  },
  { kind: "erasure", table: "erasures", key: byId, id: "erasure" },
  { kind: "import", table: "imports", key: byId, omit: ["holder_id", "claimed_by"], id: "import" },
  { kind: "audit_entry", table: "audit_log", key: byId, id: "audit_entry" },
];

/** Tables of a tenant that are no part of an export, with the reason. */
export const notExported: Readonly<Record<string, string>> = {
  source_secrets: "secrets",
  endpoint_secrets: "secrets",
  private_targets: "set by the operator of this server",
  event_keys: "made anew from events",
  unmatched_events: "made anew from events",
  quarantine: "refused requests are no events",
  call_search: "an index over calls",
  changes: "the live feed, kept for days",
  delivery_follows: "who listens to the live feed",
  seals: "proof about this database's own log",
  pipelines: "work in progress",
  step_results: "work in progress",
  engine_answers: "a cache of answers of engines",
  analysis_jobs: "work in progress",
  analysis_job_calls: "work in progress",
  analysis_promotions: "who made a run count stands in the audit log",
  analysis_promotion_calls: "who made a run count stands in the audit log",
  replays: "work in progress",
  resends: "work in progress",
  endpoint_health: "measured anew",
  attempt_bodies: "answers of endpoints, kept for days",
  message_expiries: "when messages are given up, which they say themselves",
  published_messages: "ids that are remembered for a month",
  idempotency_keys: "ids that are remembered for a day",
  source_traffic: "measured anew",
  alarms: "measured anew",
  source_polls: "when a provider is asked next",
  call_pulls: "when a provider is asked next",
  import_failures: "shown with the import",
};

/** Which kind of thing a column names, so that ids are those of the API. */
export const idColumns: Readonly<Record<string, IdKind>> = {
  tenant_id: "tenant",
  user_id: "user",
  source_id: "source",
  endpoint_id: "endpoint",
  campaign_id: "campaign",
  call_campaign_id: "campaign",
  assignment_id: "assignment",
  call_id: "call",
  merged_into: "call",
  event_id: "event",
  recording_id: "recording",
  plan_id: "analysis_plan",
  run_id: "analysis_run",
  session_id: "training_session",
  message_id: "message",
  delivery_id: "delivery",
};
