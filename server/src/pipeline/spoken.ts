import { keepMaskedMomentsOnly } from "#/calls/moment-store.ts";
import { overwriteTranscript } from "#/calls/transcript-store.ts";
import type { Tx } from "#/db/transaction.ts";

import type { Dossier } from "./dossier.ts";
import { forgetSpoken } from "./spoken-store.ts";

/** With `mask_at_rest`, takes the words as they were said away once nothing of the pipeline needs them any more. */
export async function keepMaskedOnly(tx: Tx, { tenantId, callId, plan, found, moments }: Dossier): Promise<void> {
  const { mode, erase_events: withEvents } = plan.definition.redaction;
  if (mode !== "mask_at_rest") return;
  await keepMaskedMomentsOnly(tx, tenantId, [...moments.keys()]);
  if (!found.masked) return;
  const { transcript, masked } = found;
  if (transcript && transcript.redaction === "none") {
    await overwriteTranscript(tx, {
      tenantId,
      id: transcript.id,
      digest: transcript.digest,
      masked: masked.transcript,
    });
  }
  await forgetSpoken(tx, { tenantId, callId, withEvents });
}
