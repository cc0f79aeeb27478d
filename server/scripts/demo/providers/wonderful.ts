import { randomUUID } from "node:crypto";

import { routes } from "@aftercall/contract/routes.ts";

import type { Player } from "../play.ts";

/** A practice call of a training session: two ids are all that is sent. Proof: the shared secret in a header. */
export const wonderful: Player = {
  provider: "wonderful",
  language: "Hebrew",
  async play({ api, secret }) {
    const assignment = await api.ask(routes.createAssignment, { body: { title: "שיחת מכירה ראשונה" } });
    const session = await api.ask(routes.createTrainingSession, { body: { assignment_id: assignment.id } });
    const communicationId = randomUUID();
    return {
      providerCallId: communicationId,
      completedBy: "call-complete",
      webhooks: [
        {
          what: "call-complete",
          path: "/api/webhooks/wonderful/call-complete",
          headers: { "content-type": "application/json", "x-webhook-secret": secret("WONDERFUL_WEBHOOK_SECRET") },
          body: JSON.stringify({ communication_id: communicationId, session_id: session.session_id }),
        },
      ],
    };
  },
};
