import type { IdKind } from "@aftercall/contract/id.ts";
import type { z } from "zod";

import { NotFound } from "#/kernel/errors.ts";

/** The refusal of ids that name nothing, in the words with which an unknown one is refused. */
export function absent(error: z.ZodError): NotFound {
  const issue = error.issues.find(({ code, path }) => code === "custom" && path.length > 0);
  const kind: unknown = issue?.code === "custom" ? issue.params?.["kind"] : undefined;
  return new NotFound(isKind(kind) ? names[kind] : "Path");
}

function isKind(kind: unknown): kind is IdKind {
  return typeof kind === "string" && Object.hasOwn(names, kind);
}

const names: Readonly<Record<IdKind, string>> = {
  tenant: "Tenant",
  user: "Member",
  api_key: "API key",
  identity_provider: "Identity provider",
  audit_entry: "Audit entry",
  source: "Source",
  source_secret: "Secret",
  event: "Event",
  quarantined: "Refused request",
  call: "Call",
  campaign: "Campaign",
  assignment: "Assignment",
  training_session: "Training session",
  endpoint: "Endpoint",
  message: "Message",
  delivery: "Delivery",
  attempt: "Attempt",
  replay: "Replay",
  resend: "Resend",
  erasure: "Erasure",
  recording: "Recording",
  analysis_plan: "Analysis plan",
  analysis_run: "Analysis run",
  analysis_job: "Analysis job",
  analysis_promotion: "Promotion",
  test_case: "Test case",
  import: "Import",
};
