import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { createAudio } from "#/audio/audio.ts";
import { createFolderBlobs } from "#/blobs/folder.ts";
import { createSpool } from "#/blobs/spool.ts";
import { stateOf } from "#/calls/state.ts";
import { saveCalls } from "#/calls/store.ts";
import { systemClock as clock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";
import { silentLog } from "#/kernel/log.ts";
import { createGuardedHttp } from "#/kernel/net/http.ts";
import { systemRandom as random } from "#/kernel/random.ts";
import { createSecretBox } from "#/kernel/secrets.ts";
import { providers } from "#/providers/index.ts";
import { type Alias, callEvent, type Facts } from "#/providers/provider.ts";
import { createSources } from "#/sources/active.ts";
import { sealSecret } from "#/sources/secrets.ts";
import { insertSecret, insertSource } from "#/sources/store.ts";

import { testDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import type { RecordingDeps } from "./deps.ts";

/** What work with recordings needs, all of it real, below a folder of its own. */
export async function recordingSetup() {
  const { db } = await testDatabase();
  const folder = await mkdtemp(path.join(tmpdir(), "recordings-"));
  const ids = createIds(clock);
  const spool = await createSpool({ dir: path.join(folder, "spool"), clock, ids, freeBytesMin: 0 });
  const http = createGuardedHttp({ privateTargets: [], allowHttp: true, clock });
  const box = createSecretBox("root-key-of-this-test-0123456789abcdef");
  const sources = createSources({ db, box, clock, log: silentLog(), providers, wake: null });
  const blobs = createFolderBlobs({ dir: path.join(folder, "blobs"), spool });
  const deps: RecordingDeps = {
    db,
    blobs,
    spool,
    audio: createAudio({ clock }),
    http,
    sources,
    box,
    clock,
    ids,
    random,
  };

  return {
    deps,
    folder,
    /** A tenant that may reach one address of this machine. */
    async makeTenant(): Promise<string> {
      const tenant = await makeTenant(db);
      await db.inTransaction([tenant], (tx) =>
        tx.run("insert into private_targets (tenant_id, block, granted_by) values ($1, '127.0.0.1/32', 'test')", [
          tenant,
        ]),
      );
      return tenant;
    },
    async makeSource(tenant: string, provider: string, given: SourceGiven = {}): Promise<string> {
      const id = ids.next();
      await db.inTransaction([tenant], async (tx) => {
        await insertSource(tx, {
          tenant_id: tenant,
          id,
          slug: id,
          provider,
          name: provider,
          setup: given.setup ?? {},
          auth: "required",
          on_given_routes: false,
          given_routes_create: true,
          user_id: null,
        });
        for (const { slot, value, keyId = null } of given.secrets ?? []) {
          const secret = { tenantId: tenant, sourceId: id, slot, keyId, value, origin: "api" } as const;
          // oxlint-disable-next-line no-await-in-loop -- One transaction, one connection.
          await insertSecret(tx, sealSecret(box, ids, secret));
        }
      });
      return id;
    },
    /** A call of which that source said these facts, with the body of the event where one is given. */
    async makeCall(
      tenant: string,
      sourceId: string,
      provider: string,
      facts: Facts,
      more: CallGiven = {},
    ): Promise<string> {
      const id = ids.next();
      const event = callEvent({ key: id, type: "test", facts });
      const state = stateOf({ event, eventId: id, by: `${sourceId}:${id}`, receivedAt: clock.now() });
      const names = more.aliases ?? [];
      await db.inTransaction([tenant], async (tx) => {
        const record = { tenantId: tenant, id, provider, providerCallId: id, state, announced: [], campaignId: null };
        const rest = {
          userId: null,
          mergedInto: null,
          isErased: false,
          version: 1,
          createdAt: clock.now(),
          updatedAt: clock.now(),
        };
        await saveCalls(tx, [{ ...record, ...rest }]);
        for (const { kind, value } of names) {
          // oxlint-disable-next-line no-await-in-loop -- As above.
          await tx.run("insert into call_aliases (tenant_id, kind, value, call_id) values ($1, $2, $3, $4)", [
            tenant,
            kind,
            value,
            id,
          ]);
        }
        if (!more.body) return;
        await tx.run(
          `insert into events (tenant_id, id, source_id, provider, type, key, received_at, route, url, content_type, headers, body, verification, effect, call_id)
           values ($1, $2::uuid, $3, $4, 'test', $2::uuid::text, now(), 'own', '/', 'application/json', '{}', $5, 'none', 'applied', $2::uuid)`,
          [tenant, id, sourceId, provider, more.body],
        );
        await tx.run(
          "insert into event_keys (tenant_id, source_id, key, event_id, body_digest) values ($1, $2, $3::uuid::text, $3::uuid, $4)",
          [tenant, sourceId, id, Buffer.alloc(32)],
        );
      });
      return id;
    },
    close: () => http.close(),
  };
}

type SourceGiven = {
  readonly setup?: Record<string, unknown>;
  readonly secrets?: readonly { slot: string; value: string; keyId?: string }[];
};
type CallGiven = { readonly aliases?: readonly Alias[]; readonly body?: Buffer };

/** A recording that is there, at this address. */
export function recordedAt(url: string | null, channels: number | null = null): Facts {
  return { recording: { status: "available", url, duration_ms: null, channels } };
}
