import type { Handlers } from "@aftercall/contract/api.ts";
import type { Transcript } from "@aftercall/contract/call.ts";
import type { CallMoment } from "@aftercall/contract/moment.ts";
import type { transcriptExportRoutes } from "@aftercall/contract/routes/transcript-export.ts";

import type { Db } from "#/db/transaction.ts";
import { Conflict, NotFound } from "#/kernel/errors.ts";

import { shownMoments } from "../moment-store.ts";
import { loadCall } from "../store.ts";
import { loadCurrentTranscript } from "../transcript-store.ts";
import { csvOf } from "./csv.ts";
import { srtOf, vttOf } from "./subtitles.ts";
import { plainTextOf } from "./text.ts";

/** A transcript in the forms that other programs read. */
export function transcriptExportHandlers({ db }: { db: Db }): Handlers<typeof transcriptExportRoutes> {
  return {
    exportText: async ({ tenant, params }) => plainTextOf(...(await told(tenant, params.id))),
    exportCsv: async ({ tenant, params }) => csvOf(...(await told(tenant, params.id))),
    exportSrt: async ({ tenant, params }) => timed(srtOf((await told(tenant, params.id))[0])),
    exportVtt: async ({ tenant, params }) => timed(vttOf((await told(tenant, params.id))[0])),
  };

  function told(tenant: string, id: string): Promise<[Transcript, CallMoment[]]> {
    return db.inTransaction([tenant], async (tx) => {
      const call = await loadCall(tx, tenant, id);
      if (!call) throw new NotFound("Call");
      const kept = await loadCurrentTranscript(tx, tenant, call.id);
      if (!kept) throw new NotFound("Transcript");
      return [kept.transcript, await shownMoments(tx, call)];
    });
  }
}

function timed(subtitles: string | null): string {
  if (subtitles === null) {
    throw new Conflict("This transcript has no times, so it makes no subtitles. Get it as txt or csv instead");
  }
  return subtitles;
}
