import type { Campaign } from "@aftercall/contract/campaign.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import type { CampaignRow } from "./store.ts";

/** A campaign as the API and messages show it. */
export function showCampaign(row: CampaignRow): Campaign {
  return {
    id: toPublicId("campaign", row.id),
    external_id: row.external_id,
    name: row.name,
    business_id: row.business_id,
    status: row.status,
    completed_at: row.completed_at?.toISOString() ?? null,
    deliveries_paused_at: row.deliveries_paused_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    progress: {
      total: row.total_count,
      active: row.queued_count + row.ringing_count + row.in_progress_count,
      planned: row.planned_count,
      statuses: {
        queued: row.queued_count,
        ringing: row.ringing_count,
        in_progress: row.in_progress_count,
        ended: row.ended_count,
        failed: row.failed_count,
        canceled: row.canceled_count,
        timeout: row.timeout_count,
      },
      outcomes: {
        completed: row.completed_outcome_count,
        no_answer: row.no_answer_outcome_count,
        busy: row.busy_outcome_count,
        failed: row.failed_outcome_count,
        voicemail: row.voicemail_outcome_count,
        canceled: row.canceled_outcome_count,
        transferred: row.transferred_outcome_count,
      },
    },
  };
}
