import type { Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { trainingRoutes } from "@aftercall/contract/routes/training.ts";
import type { Assignment, TrainingSession } from "@aftercall/contract/training.ts";

import { record as recordAudit } from "#/audit/record.ts";
import type { AfterCommit } from "#/calls/change.ts";
import { userIdOf } from "#/calls/store.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { Conflict, Invalid, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { pageOf } from "#/kernel/page.ts";

import {
  insertAssignment,
  insertSession,
  listAssignments,
  listSessions,
  loadAssignment,
  loadSession,
} from "./store.ts";
import type { AssignmentRow, SessionRow } from "./store.ts";

export type TrainingRouteDeps = {
  readonly db: Db;
  readonly ids: Ids;
  /** Applies call-complete events that came before their session was known. */
  readonly wakeSession: (tx: Tx, tenantId: string, sessionId: string) => Promise<AfterCommit[]>;
};

/** Assignments and training sessions under /v1. */
export function trainingHandlers({ db, ids, wakeSession }: TrainingRouteDeps): Handlers<typeof trainingRoutes> {
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
        await recordAudit(tx, ids, {
          tenant,
          actor,
          action: "assignment.created",
          subject: toPublicId("assignment", id),
        });
        return showAssignment(await existing(loadAssignment(tx, tenant, id), "Assignment"));
      });
    },
    async listAssignments({ tenant, query }) {
      const before = query.cursor === undefined ? null : fromPublicId("assignment", query.cursor);
      const rows = await db.inTransaction([tenant], (tx) => listAssignments(tx, tenant, before, query.limit + 1));
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
        });
        const afterCommit = await wakeSession(tx, tenant, id);
        return { session: await existing(loadSession(tx, tenant, id), "Training session"), afterCommit };
      });
      for (const run of afterCommit) run();
      return showSession(session);
    },
    async listTrainingSessions({ tenant, query }) {
      const before = query.cursor === undefined ? null : fromPublicId("training_session", query.cursor);
      const rows = await db.inTransaction([tenant], (tx) => listSessions(tx, tenant, before, query.limit + 1));
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

function showAssignment(row: AssignmentRow): Assignment {
  return {
    id: toPublicId("assignment", row.id),
    title: row.title,
    status: row.status,
    completed_at: row.completed_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  };
}

function showSession(row: SessionRow): TrainingSession {
  return {
    id: toPublicId("training_session", row.id),
    session_id: row.id,
    assignment_id: row.assignment_id && toPublicId("assignment", row.assignment_id),
    state: row.state,
    communication_id: row.communication_id,
    call_id: row.call_id && toPublicId("call", row.call_id),
    feedback: row.feedback && { ...row.feedback },
    requested_at: row.requested_at?.toISOString() ?? null,
    ready_at: row.ready_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  };
}
