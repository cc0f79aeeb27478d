import type { Pool, PoolClient } from "pg";

/** A transaction that sees the rows of its tenants and no others. Only stores write SQL on it. */
export interface Tx {
  /** Runs a statement and gives its rows. A `name` prepares the statement once per connection; it must always carry the same text. */
  rows<Row>(text: string, values?: readonly unknown[], name?: string): Promise<Row[]>;
  /** Runs a statement and gives the number of rows it touched. */
  run(text: string, values?: readonly unknown[], name?: string): Promise<number>;
}

export interface Db {
  /**
   * Runs `work` in one transaction whose row-level security is set to `tenants`. Commits when it returns, rolls back when it throws.
   * An empty list sees nothing but the lookup functions.
   */
  inTransaction<T>(tenants: readonly string[], work: (tx: Tx) => Promise<T>): Promise<T>;
}

export function createDb(pool: Pool): Db {
  return {
    async inTransaction(tenants, work) {
      const client = await pool.connect();
      let broken: Error | undefined;
      try {
        await client.query("begin");
        await client.query({
          name: "tenants",
          text: "select set_config('app.tenants', $1, true)",
          values: [`{${tenants.join(",")}}`],
        });
        const result = await work(txOf(client));
        await client.query("commit");
        return result;
      } catch (error) {
        await client.query("rollback").catch((failure: Error) => {
          broken = failure;
        });
        throw error;
      } finally {
        client.release(broken);
      }
    },
  };
}

function txOf(client: PoolClient): Tx {
  return {
    async rows<Row>(text: string, values: readonly unknown[] = [], name?: string) {
      const result = await client.query({ text, values: [...values], ...(name && { name }) });
      return result.rows as Row[];
    },
    async run(text, values = [], name) {
      const result = await client.query({ text, values: [...values], ...(name && { name }) });
      return result.rowCount ?? 0;
    },
  };
}
