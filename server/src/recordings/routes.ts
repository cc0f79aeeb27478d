import type { Handlers } from "@aftercall/contract/api.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import type { recordingRoutes } from "@aftercall/contract/routes/recordings.ts";

import { peakMs } from "#/audio/listen.ts";
import { record } from "#/audit/record.ts";
import { loadCall } from "#/calls/store.ts";
import { NotFound } from "#/kernel/errors.ts";

import type { RecordingDeps } from "./deps.ts";
import type { Links } from "./links.ts";
import { presentPeaks, presentRecording } from "./present.ts";
import { readPeaks } from "./read.ts";
import { refuseRestricted } from "./restricted.ts";
import { loadRecording, recordingsOfCall, type RecordingRow } from "./store.ts";

export type RecordingHandlerDeps = Pick<RecordingDeps, "db" | "blobs" | "box" | "clock" | "ids"> & {
  readonly links: Links;
  readonly publicUrl: string;
};

/** Recordings under /v1; their bytes are served by HTTP itself (http/recording-audio.ts). */
export function recordingHandlers(deps: RecordingHandlerDeps): Handlers<typeof recordingRoutes> {
  const { db, clock, ids, links, publicUrl } = deps;

  return {
    listRecordings: ({ tenant, params }) =>
      db.inTransaction([tenant], async (tx) => {
        const call = await loadCall(tx, tenant, params.id);
        if (!call) throw new NotFound("Call");
        return { data: (await recordingsOfCall(tx, tenant, call.id)).map(presentRecording) };
      }),

    getRecording: async ({ tenant, params }) => presentRecording(await recordingOf(tenant, params.id)),

    async createRecordingLink({ tenant, actor, params, body }) {
      const expiresAtMs = (Math.floor(clock.now() / 1000) + body.expires_in) * 1000;
      const expiresAt = new Date(expiresAtMs).toISOString();
      return db.inTransaction([tenant], async (tx) => {
        const row = await loadRecording(tx, tenant, params.id);
        if (row?.state !== "stored") throw new NotFound("Recording");
        refuseRestricted(row, actor);
        await record(tx, ids, {
          tenant,
          actor,
          action: "recording.link_made",
          subject: toPublicId("recording", row.id),
          after: { expires_at: expiresAt },
        });
        const token = links.sign({ tenantId: tenant, recordingId: row.id }, expiresAtMs);
        return { url: `${publicUrl}/recordings/${token}`, expires_at: expiresAt };
      });
    },

    async getRecordingPeaks({ tenant, actor, params, query }) {
      const row = await recordingOf(tenant, params.id);
      refuseRestricted(row, actor);
      const peaks = await readPeaks(deps, row);
      // Not decoded yet, or erased: there is nothing to draw.
      if (!peaks || row.channels === null) return { bucket_ms: peakMs, channels: [] };
      return presentPeaks(peaks, row.channels, query.points, peakMs);
    },
  };

  async function recordingOf(tenant: string, id: string): Promise<RecordingRow> {
    const row = await db.inTransaction([tenant], (tx) => loadRecording(tx, tenant, id));
    if (!row) throw new NotFound("Recording");
    return row;
  }
}
