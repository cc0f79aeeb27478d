import { z } from "zod";

import type { Route } from "../api.ts";
import { idOf, listOf, ListQuery } from "../list.ts";
import { Assignment, TrainingSession } from "../training.ts";

export const trainingRoutes = {
  createAssignment: {
    method: "POST",
    path: "/v1/assignments",
    summary: "Create an assignment",
    role: "member",
    body: z.strictObject({ title: z.string().min(1).max(200), user_id: z.string().min(1).max(255).optional() }),
    output: Assignment,
    status: 201,
  },
  listAssignments: {
    method: "GET",
    path: "/v1/assignments",
    summary: "List assignments, newest first",
    role: "viewer",
    query: ListQuery,
    output: listOf(Assignment),
  },
  getAssignment: {
    method: "GET",
    path: "/v1/assignments/:id",
    summary: "Get an assignment",
    role: "viewer",
    params: z.object({ id: idOf("assignment") }),
    output: Assignment,
  },
  createTrainingSession: {
    method: "POST",
    path: "/v1/training-sessions",
    summary: "Create a training session",
    role: "member",
    body: z.strictObject({
      session_id: z
        .uuid()
        .optional()
        .meta({ description: "Your own id of the session; one is made when you have none." }),
      assignment_id: idOf("assignment").optional(),
      user_id: z.string().min(1).max(255).optional(),
      feedback: z
        .record(z.string(), z.unknown())
        .optional()
        .meta({ description: "Feedback that exists already, for sessions brought along from another system." }),
    }),
    output: TrainingSession,
    status: 201,
  },
  listTrainingSessions: {
    method: "GET",
    path: "/v1/training-sessions",
    summary: "List training sessions, newest first",
    role: "viewer",
    query: ListQuery,
    output: listOf(TrainingSession),
  },
  getTrainingSession: {
    method: "GET",
    path: "/v1/training-sessions/:id",
    summary: "Get a training session with its feedback",
    role: "viewer",
    params: z.object({ id: idOf("training_session") }),
    output: TrainingSession,
  },
  regenerateTrainingFeedback: {
    method: "POST",
    path: "/v1/training-sessions/:id/regenerate",
    summary: "Make the feedback of a training session once more, by the rubric that is published now",
    role: "member",
    params: z.object({ id: idOf("training_session") }),
    output: TrainingSession,
    status: 202,
  },
} as const satisfies Record<string, Route>;
