import { fromPublicId } from "../../contract/src/id.ts";
import { connectionFrom, openAppPool } from "../../server/src/db/connect.ts";
import { createDb, type Db } from "../../server/src/db/transaction.ts";
import { systemClock as clock } from "../../server/src/kernel/clock.ts";
import { createIds } from "../../server/src/kernel/ids.ts";
import { createLog } from "../../server/src/kernel/log.ts";
import { type Aftercall, startAftercall } from "../machine/aftercall.ts";
import type { Database } from "../machine/database.ts";
import { bodyOf } from "./target.ts";

export type AftercallSender = Aftercall & {
  /** Endpoints of its one tenant; what is not said is as the server has it by itself. */
  addEndpoints(urls: readonly string[], settings?: Readonly<Record<string, unknown>>): Promise<string[]>;
  /** Writes deliveries that are due, spread over endpoints (UUIDs) in turn. `attempts` made before: they are retries. */
  addDue(input: Filling): Promise<void>;
  /** Lets paused endpoints go on, all in the same moment. */
  release(): Promise<void>;
  /** What is still due or claimed. */
  open(): Promise<number>;
  sql(text: string, values?: readonly unknown[]): Promise<number>;
};

export type Filling = {
  readonly endpoints: readonly string[];
  readonly count: number;
  readonly bodyBytes: number;
  readonly attempts?: number;
};

export type SenderOptions = {
  readonly database: Database;
  readonly logLevel: string;
  readonly profileDir: string | null;
};

const databaseName = "bench_delivery";
const ids = createIds(clock);

/** A whole aftercall on a new database, with nothing in it. */
export async function startAftercallSender({
  database,
  logLevel,
  profileDir,
}: SenderOptions): Promise<AftercallSender> {
  const databaseUrl = await database.create(databaseName);
  const server = await startAftercall({ databaseUrl, logLevel, profileDir });
  const pool = openAppPool({
    connection: connectionFrom(databaseUrl),
    name: "bench",
    log: createLog({ level: "error" }),
    mayExit: true,
  });
  const db = createDb(pool);
  const { tenant } = await server.ask<{ tenant: { id: string } }>("GET", "/v1/whoami");
  const tenantId = fromPublicId("tenant", tenant.id) ?? "";
  const sql = (text: string, values: readonly unknown[] = []) =>
    db.inTransaction([tenantId], (tx) => tx.run(text, values));

  return {
    ...server,
    async addEndpoints(urls, settings = {}) {
      const made: string[] = [];
      for (const url of urls) {
        const { id } = await server.ask<{ id: string }>("POST", "/v1/endpoints", { url, ...settings });
        made.push(fromPublicId("endpoint", id) ?? "");
      }
      return made;
    },
    addDue: (filling) => fill(db, tenantId, filling),
    async release() {
      await db.inTransaction([tenantId], async (tx) => {
        await tx.run("update endpoints set paused_at = null");
        await tx.run("select pg_notify('endpoints', ''), pg_notify('deliveries', '')");
      });
    },
    async open() {
      const [row] = await db.inTransaction([tenantId], (tx) =>
        tx.rows<{ count: number }>(
          "select count(*)::int as count from endpoints e join deliveries d on d.tenant_id = e.tenant_id and d.endpoint_id = e.id where d.state in ('due', 'claimed')",
        ),
      );
      return row?.count ?? 0;
    },
    sql,
    async stop() {
      await server.stop();
      await pool.end();
      await database.drop(databaseName);
    },
  };
}

async function fill(db: Db, tenantId: string, filling: Filling): Promise<void> {
  const { endpoints, count, bodyBytes, attempts = 0 } = filling;
  const body = bodyOf(bodyBytes);
  for (let done = 0; done < count; done += 2_000) {
    const rows = Array.from({ length: Math.min(2_000, count - done) }, (_, n) => ({
      message: ids.next(),
      delivery: ids.next(),
      endpoint: endpoints[(done + n) % endpoints.length],
    }));
    await db.inTransaction([tenantId], (tx) =>
      tx.run(
        `with row as (select * from unnest($2::uuid[], $3::uuid[], $4::uuid[]) as r (message_id, id, endpoint_id)),
         written as (
           insert into messages (tenant_id, id, type, occurred_at, received_at)
           select $1, message_id, 'bench.done', now(), now() from row),
         bodies as (
           insert into message_bodies (tenant_id, message_id, format, body) select $1, message_id, 'standard', $5 from row)
         insert into deliveries (tenant_id, id, message_id, endpoint_id, state, attempt_count)
         select $1, id, message_id, endpoint_id, 'due', $6 from row`,
        [
          tenantId,
          rows.map(({ message }) => message),
          rows.map(({ delivery }) => delivery),
          rows.map(({ endpoint }) => endpoint),
          body,
          attempts,
        ],
      ),
    );
  }
}
