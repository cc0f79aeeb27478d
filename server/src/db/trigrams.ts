import type { Pool } from "pg";

/**
 * Whether this database knows letters beyond ASCII: with LC_CTYPE C it takes them for no letters, finds no trigrams in Hebrew, and
 * every search reads every call.
 */
export async function findsTrigrams(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ works: boolean }>("select show_trgm('בית') <> '{}' as works");
  return rows[0]?.works ?? false;
}

/** What to do about it. */
export const noTrigrams =
  "Searching in Hebrew reads every call: the database was made with LC_CTYPE C. Make one with LC_CTYPE C.UTF-8 and restore into it";
