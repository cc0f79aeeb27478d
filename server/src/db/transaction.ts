import type { Writable } from "node:stream";

import { DatabaseError } from "pg";
import type { Pool, PoolClient, QueryConfig } from "pg";

import { Unavailable } from "#/kernel/errors.ts";

/** A transaction that sees the rows of its tenants and no others. Only stores write SQL on it. */
export interface Tx {
  /**
   * Runs a statement and gives its rows: bigint as number, timestamptz as Date, uuid as text.
   * A `name` prepares the statement once per connection; it must always carry the same text.
   */
  rows<Row>(text: string, values?: readonly unknown[], name?: string): Promise<Row[]>;
  /** Runs a statement and gives the number of rows it touched. */
  run(text: string, values?: readonly unknown[], name?: string): Promise<number>;
}

export interface Db {
  /**
   * Runs `work` in one transaction whose row-level security is set to `tenants`. Commits when it returns, rolls back when it throws.
   * An empty list sees nothing but the lookup functions.
   * @throws Unavailable when the commit reached this server's disk but not the standby it must reach.
   */
  inTransaction<T>(tenants: readonly string[], work: (tx: Tx) => Promise<T>): Promise<T>;
}

export function createDb(pool: Pool): Db {
  return {
    async inTransaction(tenants, work) {
      const start = `begin; set local app.tenants = '${tenantList(tenants)}'`;
      const client = await pool.connect();
      let broken: Error | undefined;
      // A connection that breaks is told as an event as well, and one without a listener would end the process.
      const lost = (error: Error) => {
        broken = error;
      };
      client.on("error", lost);
      try {
        // Not waited for: it travels with the first statement, and what fails here fails there.
        const started = send(client, { text: start });
        started.catch(() => {});
        const result = await work(txOf(client));
        await started;
        await commit(client);
        return result;
      } catch (error) {
        await client.query("rollback").catch((failure: Error) => {
          broken = failure;
        });
        throw error;
      } finally {
        client.off("error", lost);
        client.release(broken);
      }
    },
  };
}

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** SET takes no parameters, so what is put into its text is checked. One round trip fewer than set_config. */
function tenantList(tenants: readonly string[]): string {
  for (const tenant of tenants) {
    if (!uuidForm.test(tenant)) throw new TypeError("A tenant is named by its UUID");
  }
  return `{${tenants.join(",")}}`;
}

/**
 * This transaction need not be on disk when it has committed: for what a crash of the database may take back without harm. It
 * saves the wait for the disk.
 */
export async function mayBeLost(tx: Tx): Promise<void> {
  await tx.run("select set_config('synchronous_commit', 'off', true)", [], "may-be-lost");
}

/** A commit that stops waiting for its synchronous standby succeeds with a warning: stored here, and lost in a failover. */
async function commit(client: PoolClient): Promise<void> {
  let warning: string | undefined;
  const listen = (notice: { code?: string | undefined; message?: string | undefined }) => {
    if (notice.code === "01000" && notice.message?.includes("synchronous replication")) warning = notice.message;
  };
  client.on("notice", listen);
  try {
    const { command } = await client.query("commit");
    if (command !== "COMMIT") throw new Error("A statement of the transaction failed, and nobody noticed");
  } finally {
    client.off("notice", listen);
  }
  if (warning) throw new Unavailable("The standby did not confirm the commit", new Error(warning));
}

/**
 * Runs statements that do not need each other's answers: they are sent in one go, in this order, and PostgreSQL works through
 * them without a round trip between. Waits for all of them also when one fails, so that none is left behind to run in a
 * transaction that is not its own; throws what failed first.
 */
export async function together<Results extends readonly unknown[]>(
  statements: readonly [...{ [Index in keyof Results]: Promise<Results[Index]> }],
): Promise<Results> {
  const failures: unknown[] = [];
  const results = await Promise.all(
    statements.map((statement) =>
      statement.catch((error: unknown) => {
        failures.push(error);
      }),
    ),
  );
  if (failures.length > 0) throw failures.find((failure) => !isFollowUp(failure)) ?? failures[0];
  return results as unknown as Results;
}

/** "Current transaction is aborted": said by every statement after the one that failed. */
function isFollowUp(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === "25P02";
}

function txOf(client: PoolClient): Tx {
  return {
    async rows<Row>(text: string, values: readonly unknown[] = [], name?: string) {
      const result = await send(client, { text, values: [...values], ...(name && { name }) });
      return result.rows as Row[];
    },
    async run(text, values = [], name) {
      const result = await send(client, { text, values: [...values], ...(name && { name }) });
      return result.rowCount ?? 0;
    },
  };
}

/**
 * Issues a statement. What is issued in the same turn leaves in one write: a batch's fifteen statements would otherwise be as
 * many system calls, a fifth of the processor time of intake.
 */
function send(client: PoolClient, statement: QueryConfig) {
  const stream = socketOf(client);
  stream?.cork();
  const answer = client.query(statement);
  if (stream) process.nextTick(() => stream.uncork());
  return answer;
}

/** The connection's socket: not part of pg's declared interface, and done without where a version hides it. */
function socketOf(client: PoolClient): Writable | undefined {
  const { connection } = client as unknown as { connection?: { stream?: Writable } };
  return connection?.stream;
}
