import { toPublicId } from "@aftercall/contract/id.ts";
import { TrainingFeedback } from "@aftercall/contract/training.ts";
import type { Assignment, TrainingSession } from "@aftercall/contract/training.ts";

import type { AssignmentRow, SessionRow } from "./store.ts";

/** An assignment as the API shows it. */
export function showAssignment(row: AssignmentRow): Assignment {
  return {
    id: toPublicId("assignment", row.id),
    title: row.title,
    status: row.status,
    completed_at: row.completed_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  };
}

/** A session as the API and messages show it. */
export function showSession(row: SessionRow): TrainingSession {
  return {
    id: toPublicId("training_session", row.id),
    session_id: row.id,
    assignment_id: row.assignment_id && toPublicId("assignment", row.assignment_id),
    state: row.state,
    communication_id: row.communication_id,
    call_id: row.call_id && toPublicId("call", row.call_id),
    feedback: row.feedback && feedbackIn(row.feedback),
    reason: row.reason,
    detail: row.detail,
    attempts: row.requested_at === null ? 0 : row.attempt,
    next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
    is_regenerating: row.is_regenerating,
    run_id: row.run_id && toPublicId("analysis_run", row.run_id),
    requested_at: row.requested_at?.toISOString() ?? null,
    ready_at: row.ready_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  };
}

/** Ours in the order in which it is documented, which the database does not keep; what was brought along as it is. */
function feedbackIn(feedback: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const ours = TrainingFeedback.strict().safeParse(feedback);
  return ours.success ? ours.data : { ...feedback };
}
