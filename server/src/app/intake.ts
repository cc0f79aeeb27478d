import type { React } from "#/calls/change.ts";
import { resolveCampaigns } from "#/campaigns/progress.ts";
import type { Db } from "#/db/transaction.ts";
import { createFloodGate } from "#/http/flood.ts";
import { createBatcher } from "#/inbox/batch.ts";
import type { Batcher } from "#/inbox/batch.ts";
import { commitBatch } from "#/inbox/commit.ts";
import { createQuarantine } from "#/inbox/quarantine.ts";
import type { HeaderVault } from "#/inbox/quarantine.ts";
import { createReceiveLarge, type ReceiveLarge } from "#/inbox/receive-large.ts";
import { createReceive, type IntakeLine } from "#/inbox/receive.ts";
import { createReread } from "#/inbox/reread.ts";
import type { BatchContext } from "#/inbox/store-batch.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";
import type { Log } from "#/kernel/log.ts";
import type { Metrics } from "#/kernel/metrics.ts";
import type { SecretBox } from "#/kernel/secrets.ts";
import type { Receive } from "#/providers/incoming.ts";
import { holdCarried } from "#/recordings/carried.ts";
import type { Sources } from "#/sources/active.ts";
import type { AwaitFeedback } from "#/training/await-feedback.ts";
import { claimSessions } from "#/training/claim.ts";

import type { Recordings } from "./recordings.ts";

export type IntakeParts = {
  readonly db: Db;
  readonly box: SecretBox;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly sources: Sources;
  readonly react: React;
  /** Whether calls have a pipeline, which then says that they are settled. */
  readonly isAnalysing: boolean;
  readonly awaitFeedback: AwaitFeedback;
  readonly recordings: Recordings;
  /** Told what became of each webhook. */
  readonly observe: (line: IntakeLine) => void;
};

export type Intake = {
  readonly receive: Receive;
  readonly receiveLarge: ReceiveLarge;
  readonly batcher: Batcher;
  readonly context: BatchContext;
  readonly vault: HeaderVault;
};

/** Puts the inbox together: receiving, batching, the transaction, the quarantine. */
export function composeIntake({
  db,
  box,
  ids,
  clock,
  log,
  metrics,
  sources,
  react,
  isAnalysing,
  awaitFeedback,
  recordings,
  observe,
}: IntakeParts): Intake {
  const context: BatchContext = {
    newId: () => ids.next(),
    now: () => clock.now(),
    reread: createReread(sources),
    settling: isAnalysing ? "pipeline" : "at_once",
    hooks: { react, claimSessions, resolveCampaigns: (tx, names) => resolveCampaigns(tx, names, () => ids.next()) },
  };
  const batcher = createBatcher(
    (batch) => {
      metrics.intakeBatchSize.observe(batch.length);
      return commitBatch({ db, context, log }, batch);
    },
    {
      clock,
      limits: {
        ...limits,
        eventsMax: limits.batchEventsMax,
        bytesMax: limits.batchBytesMax,
        waitMs: limits.batchWaitMs,
      },
    },
  );
  const vault = headerVault(box);
  const quarantine = createQuarantine(
    {
      db,
      vault,
      newId: context.newId,
      log,
      onDropped: (provider) => metrics.inboundTotal.inc({ provider, result: "not_kept" }),
    },
    {
      rowsPerSourceMax: limits.quarantineRowsMax,
      writesMax: limits.quarantineWritesMax,
      bodyBytesMax: limits.quarantineBodyBytesMax,
    },
  );
  const receive = createReceive({
    sources,
    batcher,
    quarantine,
    clock,
    flood: createFloodGate({ clock }),
    awaitFeedback,
    observe(line) {
      metrics.inboundTotal.inc({ provider: line.provider, result: line.result });
      if (line.result === "stored") metrics.intakeSeconds.observe({ provider: line.provider }, line.stored_ms / 1000);
      observe(line);
      log.info(line, "webhook");
    },
  });
  const { deps } = recordings;
  const receiveLarge = createReceiveLarge({
    sources,
    clock,
    receive,
    hold: (source) => holdCarried(deps, source),
    discard: (stored) => deps.blobs.remove(stored.blob_key),
  });
  return { receive, receiveLarge, batcher, context, vault };
}

function headerVault(box: SecretBox): HeaderVault {
  const place = (tenant: string, row: string) => ({ tenant, table: "quarantine", row, column: "sealed_headers" });
  return {
    seal: (tenant, row, text) => box.seal(Buffer.from(text), place(tenant, row)),
    open: (tenant, row, sealed) => box.open(sealed, place(tenant, row)).toString(),
  };
}
