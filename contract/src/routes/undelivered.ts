import { z } from "zod";

import type { Route } from "../api.ts";
import { CancelDeliveries, CancelledDeliveries } from "../cancel.ts";
import { Delivery } from "../delivery.ts";
import { idOf, listOf, ListQuery } from "../list.ts";
import { CreatedResend, CreateResend, Resend, ResendDelivery, ResendMessage, ResendState } from "../resend.ts";
import { Held, HeldCause, Undelivered, UndeliveredCounts, undeliveredFilter } from "../undelivered.ts";

const resendId = z.object({ id: idOf("resend") });

export const undeliveredRoutes = {
  listUndelivered: {
    method: "GET",
    path: "/v1/undelivered",
    summary: "Everything that did not arrive and will not by itself, newest first, each with its reason.",
    role: "viewer",
    query: ListQuery.extend(undeliveredFilter),
    output: listOf(Undelivered),
  },
  countUndelivered: {
    method: "GET",
    path: "/v1/undelivered/counts",
    summary: "How much did not arrive, by reason, and since when.",
    role: "viewer",
    query: z.strictObject(undeliveredFilter),
    output: UndeliveredCounts,
  },
  exportUndelivered: {
    method: "GET",
    path: "/v1/undelivered/csv",
    summary: "The undelivered list as a table of up to 10,000 rows, newest first.",
    role: "viewer",
    query: z.strictObject(undeliveredFilter),
    output: z.string(),
    media: "text/csv",
  },
  listHeld: {
    method: "GET",
    path: "/v1/held",
    summary: "What waits although it is not lost, with the cause and since when, newest first.",
    role: "viewer",
    query: ListQuery.extend({ endpoint_id: idOf("endpoint").optional(), cause: HeldCause.optional() }),
    output: listOf(Held),
  },
  cancelDeliveries: {
    method: "POST",
    path: "/v1/deliveries/cancel",
    summary: "Ends deliveries that wait and are not wanted any more, or only counts them.",
    role: "member",
    body: CancelDeliveries,
    output: CancelledDeliveries,
  },
  createResend: {
    method: "POST",
    path: "/v1/resends",
    summary: "Sends what a filter finds once more, or only counts it.",
    role: "member",
    body: CreateResend,
    output: CreatedResend,
    status: 202,
  },
  listResends: {
    method: "GET",
    path: "/v1/resends",
    summary: "Resends, newest first.",
    role: "viewer",
    query: ListQuery.extend({ state: ResendState.optional() }),
    output: listOf(Resend),
  },
  getResend: {
    method: "GET",
    path: "/v1/resends/:id",
    summary: "How far a resend has come.",
    role: "viewer",
    params: resendId,
    output: Resend,
  },
  pauseResend: {
    method: "POST",
    path: "/v1/resends/:id/pause",
    summary: "Holds a resend. What is being sent at this moment is finished.",
    role: "member",
    params: resendId,
    output: Resend,
  },
  resumeResend: {
    method: "POST",
    path: "/v1/resends/:id/resume",
    summary: "Lets a paused resend go on.",
    role: "member",
    params: resendId,
    output: Resend,
  },
  cancelResend: {
    method: "POST",
    path: "/v1/resends/:id/cancel",
    summary: "Ends a resend. What it had made due and is not sent yet is listed as cancelled.",
    role: "member",
    params: resendId,
    output: Resend,
  },
  resendDelivery: {
    method: "POST",
    path: "/v1/deliveries/:id/resend",
    summary: "Sends a delivery once more as a new series of attempts, with the same webhook-id.",
    role: "member",
    params: z.object({ id: idOf("delivery") }),
    body: ResendDelivery,
    output: Delivery,
    status: 202,
  },
  resendMessage: {
    method: "POST",
    path: "/v1/messages/:id/resend",
    summary: "Sends a message to an endpoint, whether it was meant for it or not.",
    role: "member",
    params: z.object({ id: idOf("message") }),
    body: ResendMessage,
    output: Delivery,
    status: 202,
  },
} as const satisfies Record<string, Route>;
