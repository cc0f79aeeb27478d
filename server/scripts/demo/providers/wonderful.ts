import { randomUUID } from "node:crypto";

import { routes } from "@aftercall/contract/routes.ts";

import { startCommunicationApi } from "../communication-api.ts";
import type { Player } from "../play.ts";

/**
 * A practice call of a training session: two ids are all that is sent, the words are fetched. Proof: the shared secret in a
 * header.
 */
export const wonderful: Player = {
  provider: "wonderful",
  language: "Hebrew",
  async play({ api, secret, now }) {
    const { url } = await startCommunicationApi(now);
    const { data: sources } = await api.ask(routes.listSources, { query: { limit: "100" } });
    const source = sources.find(({ slug }) => slug === "wonderful");
    await api.ask(routes.updateSource, { id: source?.id ?? "", body: { setup: { api: { base_url: url } } } });
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
