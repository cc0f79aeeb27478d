import type { Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { trainingRoutes } from "@aftercall/contract/routes/training.ts";

import { record as recordAudit } from "#/audit/record.ts";
import type { AfterCommit } from "#/calls/change.ts";
import { userIdOf } from "#/calls/store.ts";
import { readPage } from "#/db/page.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { Conflict, Invalid, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { pageOf } from "#/kernel/page.ts";

import type { FeedbackJob } from "./give-feedback.ts";
import { showAssignment, showSession } from "./show.ts";
import {
  insertAssignment,
  insertSession,
  listAssignments,
  listSessions,
  loadAssignment,
  loadSession,
} from "./store.ts";
import { beginAgain, lockWork, runBy } from "./work-store.ts";

export type TrainingRouteDeps = {
  readonly db: Db;
  readonly ids: Ids;
  /** Applies call-complete events that came before their session was known. */
  readonly wakeSession: (tx: Tx, tenantId: string, sessionId: string) => Promise<AfterCommit[]>;
  /** The plan that training calls are graded by now. */
  readonly planFor: (
    tx: Tx,
    tenantId: string,
    callId: string,
  ) => Promise<{ readonly id: string; readonly version: number }>;
  readonly enqueueFeedback: (tx: Tx, job: FeedbackJob) => Promise<void>;
};

/** Assignments and training sessions under /v1. */
export function trainingHandlers(deps: TrainingRouteDeps): Handlers<typeof trainingRoutes> {
  const { db, ids, wakeSession } = deps;
  return {
    async createAssignment({ tenant, actor, body }) {
      return db.inTransaction([tenant], async (tx) => {
        const id = ids.next();
        await insertAssignment(tx, {
          tenantId: tenant,
          id,
          title: body.title,
          userId: await knownUser(tx, tenant, body.user_id),
        });
        const after = showAssignment(await existing(loadAssignment(tx, tenant, id), "Assignment"));
        await recordAudit(tx, ids, { tenant, actor, action: "assignment.created", subject: after.id, after });
        return after;
      });
    },
    async listAssignments({ tenant, query }) {
      const before = query.cursor === undefined ? null : fromPublicId("assignment", query.cursor);
      const rows = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, before, (probe, page) => listAssignments(probe, tenant, page)),
      );
      return pageOf(rows, query.limit, showAssignment, (row) => toPublicId("assignment", row.id));
    },
    async getAssignment({ tenant, params }) {
      return showAssignment(
        await existing(
          db.inTransaction([tenant], (tx) => loadAssignment(tx, tenant, params.id)),
          "Assignment",
        ),
      );
    },

    async createTrainingSession({ tenant, actor, body }) {
      const { session, afterCommit } = await db.inTransaction([tenant], async (tx) => {
        const id = body.session_id?.toLowerCase() ?? ids.next();
        if (body.assignment_id && !(await loadAssignment(tx, tenant, body.assignment_id))) {
          throw new Invalid("Unknown assignment", [
            { pointer: "/assignment_id", detail: "No assignment of yours has this id" },
          ]);
        }
        const isNew = await insertSession(tx, {
          tenantId: tenant,
          id,
          assignmentId: body.assignment_id ?? null,
          userId: await knownUser(tx, tenant, body.user_id),
          feedback: body.feedback ?? null,
        });
        if (!isNew) throw new Conflict("A training session with this session_id exists already");
        await recordAudit(tx, ids, {
          tenant,
          actor,
          action: "training_session.created",
          subject: toPublicId("training_session", id),
          // Feedback that is brought along speaks of a call, so it stays out of the log.
          after: {
            session_id: id,
            assignment_id: body.assignment_id ? toPublicId("assignment", body.assignment_id) : null,
            user_id: body.user_id ?? null,
            has_feedback: body.feedback !== undefined,
          },
        });
        const afterCommit = await wakeSession(tx, tenant, id);
        return { session: await existing(loadSession(tx, tenant, id), "Training session"), afterCommit };
      });
      for (const run of afterCommit) run();
      return showSession(session);
    },
    async listTrainingSessions({ tenant, query }) {
      const before = query.cursor === undefined ? null : fromPublicId("training_session", query.cursor);
      const rows = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, before, (probe, page) => listSessions(probe, tenant, page)),
      );
      return pageOf(rows, query.limit, showSession, (row) => toPublicId("training_session", row.id));
    },
    async getTrainingSession({ tenant, params }) {
      return showSession(
        await existing(
          db.inTransaction([tenant], (tx) => loadSession(tx, tenant, params.id)),
          "Training session",
        ),
      );
    },
    async regenerateTrainingFeedback({ tenant, actor, params }) {
      return db.inTransaction([tenant], async (tx) => {
        const work = await existing(lockWork(tx, tenant, params.id), "Training session");
        if (work.state === "requested" || work.is_regenerating)
          throw new Conflict("The feedback is being made already");
        if (work.communication_id === null || work.call_id === null) {
          throw new Conflict("No call was reported for this session yet, so there is nothing to give feedback on");
        }
        const plan = await deps.planFor(tx, tenant, work.call_id);
        if (await runBy(tx, work, plan)) {
          throw new Conflict(
            `The feedback is by version ${plan.version} of the rubric already; publish another version to grade the session by it`,
          );
        }
        const number = await beginAgain(tx, work);
        await deps.enqueueFeedback(tx, { tenantId: tenant, sessionId: work.id, work: number, attempt: 1 });
        await recordAudit(tx, ids, {
          tenant,
          actor,
          action: "training_feedback.requested",
          subject: toPublicId("training_session", work.id),
          before: { is_regenerating: false },
          after: { is_regenerating: true },
        });
        return showSession(await existing(loadSession(tx, tenant, work.id), "Training session"));
      });
    },
  };
}

async function existing<Row>(found: Promise<Row | null>, what: string): Promise<Row> {
  const row = await found;
  if (row === null) throw new NotFound(what);
  return row;
}

async function knownUser(tx: Tx, tenantId: string, externalId: string | undefined): Promise<string | null> {
  if (externalId === undefined) return null;
  const id = await userIdOf(tx, tenantId, externalId);
  if (!id)
    throw new Invalid("Unknown user", [{ pointer: "/user_id", detail: "Create the user with POST /v1/users first" }]);
  return id;
}
