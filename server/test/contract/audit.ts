import { isDeepStrictEqual } from "node:util";

import { expect } from "vitest";

import type { Db } from "#/db/transaction.ts";

/** What a request that changes something leaves behind: what was said and asked in it, and under which id the server knows it. */
export type Deed = {
  readonly name: string;
  readonly method: string;
  readonly requestId: string;
  readonly sent: unknown;
  readonly answered: string;
};

type Side = Readonly<Record<string, unknown>> | null;
type Row = { readonly before: Side; readonly after: Side };

/** Asks about things, or somebody else's server: there is nothing before and after. */
const changesNothing = new Set(["pullSource", "testEndpoint", "testLanguageEngine", "testSpeechEngine"]);
/** Reads only, and is a POST because it reads for long, or is told much. */
const writesNothing = new Set(["checkLog", "previewMapping"]);

/**
 * Every change has its entry in the audit log: who, what, before or after, from where; without secrets and without what was said
 * in calls.
 */
export async function expectAudited(db: Db, tenant: string, deed: Deed): Promise<void> {
  const { name, method, requestId, sent, answered } = deed;
  const rows = await db.inTransaction([tenant], (tx) =>
    tx.rows<Row>("select actor, action, subject, before, after, address from audit_log where request_id = $1", [
      requestId,
    ]),
  );
  if (writesNothing.has(name)) return expect([name, rows]).toEqual([name, []]);
  expect([name, rows.length > 0]).toEqual([name, true]);
  for (const row of rows) {
    expect(row).toMatchObject({
      actor: expect.stringMatching(/^api_key:key_[0-9a-z]{26}$/),
      action: expect.stringMatching(/^[a-z_]+\.[a-z_]+$/),
      subject: expect.stringMatching(/./),
      address: expect.stringMatching(/^(?:::ffff:)?127\.0\.0\.1$|^::1$/),
    });
  }
  const hasSide = rows.some(({ before, after }) => before !== null || after !== null);
  expect([name, hasSide]).toEqual([name, !changesNothing.has(name)]);
  if (method === "PATCH") {
    const changed = new Set(rows.flatMap(changedIn));
    const asked = Object.keys(sent ?? {});
    const isTold = (field: string) => changed.has(field) || changed.has(`${field}_keys`);
    expect([name, asked.filter((field) => !isTold(field))]).toEqual([name, []]);
  }
  const text = JSON.stringify(rows);
  const kept = [...privateTexts(sent), ...privateTexts(answered === "" ? null : JSON.parse(answered))];
  expect([name, kept.filter((one) => text.includes(one))]).toEqual([name, []]);
}

/** The fields that are not before what they are after; of values that nobody may read again, which keys there are. */
function changedIn({ before, after }: Row): string[] {
  const [old, now] = [before ?? {}, after ?? {}];
  const fields = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  return fields.filter((field) => !isDeepStrictEqual(old[field], now[field]));
}

/** Where secrets stand in what is sent and answered, and what people say and are called. */
const privateNames = new Set(["value", "secret", "key", "token", "api_key", "text", "comment", "from", "to"]);

function privateTexts(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) => {
    if (typeof one === "string") return privateNames.has(name) && one.length > 3 ? [one] : [];
    // By what names a call goes is no secret, though each is a value.
    return name === "aliases" ? [] : privateTexts(one);
  });
}
