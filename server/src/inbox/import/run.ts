import type { Actor } from "@aftercall/contract/api.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import { record as recordAudit } from "#/audit/record.ts";
import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { Invalid } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { providerNamed } from "#/providers/index.ts";
import { type CallEvent, MalformedBody } from "#/providers/provider.ts";
import type { ActiveSource, Sources } from "#/sources/active.ts";
import { insertSource } from "#/sources/store.ts";

import type { Arrival } from "../arrival.ts";
import type { Batcher } from "../batch.ts";
import { quieted, readAs, verificationFor } from "../read-as.ts";
import { importLimits } from "./limits.ts";
import { type Line, linesOf } from "./lines.ts";
import { kindOfLine } from "./read-line.ts";
import { type FailedLine, insertImport, saveProgress, sourceOfProvider, toldNames } from "./store.ts";

export type ImportDeps = {
  readonly db: Db;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly sources: Pick<Sources, "byId" | "bySlug" | "forget">;
  readonly batcher: Pick<Batcher, "add">;
};

export type ImportInput = {
  readonly tenantId: string;
  readonly actor: Actor;
  /** The source whose provider reads the lines; null: lines are in our own form, or of an export. */
  readonly slug: string | null;
  readonly isDelivered: boolean;
};

/**
 * Takes in a file of past calls, line by line as it comes. Each line goes the way of a webhook and is stored once, so the same
 * file may be sent again, after a cut or at any other time. Gives the id of the import, whose row holds the progress.
 * @throws Invalid for a source that is not there; whatever ends the stream or the database is thrown after it was written down.
 */
export async function importFile(
  deps: ImportDeps,
  input: ImportInput,
  body: AsyncIterable<Buffer>,
): Promise<{ readonly id: string }> {
  const { db, ids, clock } = deps;
  const { tenantId, actor, isDelivered } = input;
  const source = await sourceFor(deps, input);
  const id = ids.next();
  await db.inTransaction([tenantId], async (tx) => {
    const row = { tenant_id: tenantId, id, source_id: source.id, is_delivered: isDelivered };
    await insertImport(tx, { ...row, actor: `${actor.kind}:${actor.id}` });
    const detail = { source: source.slug, is_delivered: isDelivered };
    await recordAudit(tx, ids, {
      tenant: tenantId,
      actor,
      action: "import.started",
      subject: toPublicId("import", id),
      detail,
    });
  });
  const others = new Map<string, Promise<ActiveSource>>();
  const done = { lines: 0, applied: 0, repeated: 0, skipped: 0, failed: 0, bytes: 0 };
  const save = (state: "running" | "done" | "interrupted", failures: readonly FailedLine[] = []) =>
    db.inTransaction([tenantId], (tx) => saveProgress(tx, { tenantId, id }, state, done, failures));
  try {
    for await (const group of linesOf(counted(body), importLimits)) {
      if (done.lines + group.length > importLimits.linesMax) {
        throw new Invalid(`A file may have ${importLimits.linesMax} lines`, []);
      }
      const failures = await takeIn(group);
      done.lines += group.length;
      const room = Math.max(0, importLimits.failuresMax - done.failed);
      done.failed += failures.length;
      await save("running", failures.slice(0, room));
    }
    await save("done");
    return { id };
  } catch (error) {
    await save("interrupted").catch(() => {});
    throw error;
  }

  async function* counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      done.bytes += chunk.length;
      yield chunk;
    }
  }

  /** Stores a group of lines; gives those that could not be. */
  async function takeIn(group: readonly Line[]): Promise<FailedLine[]> {
    const failures: FailedLine[] = [];
    const read: { readonly line: number; readonly arrival: Arrival; readonly isPulled: boolean }[] = [];
    for (const { number: line, bytes } of group) {
      if (bytes !== null && bytes.toString().trim() === "") {
        done.skipped++;
        continue;
      }
      try {
        // oxlint-disable-next-line no-await-in-loop -- Waits only for the first line of each provider.
        const one = await readLine(line, bytes);
        if (one) read.push({ line, ...one });
        else done.skipped++;
      } catch (error) {
        if (!(error instanceof MalformedBody)) throw error;
        failures.push({ line, reason: error.message });
      }
    }
    const names = read.flatMap(({ arrival }) => arrival.events.flatMap((event) => event.aliases));
    const told = isDelivered
      ? new Set<string>()
      : await db.inTransaction([tenantId], (tx) => toldNames(tx, tenantId, names));
    const isTold = (event: CallEvent) => event.aliases.some(({ kind, value }) => told.has(`${kind} ${value}`));
    await Promise.all(
      read.map(async ({ line, arrival, isPulled }) => {
        const isLoud = isDelivered || arrival.events.some(isTold);
        const verification = verificationFor({ isPulled, isImported: true, isDelivered: isLoud });
        const events = isLoud ? arrival.events : arrival.events.map(quieted);
        const results = await deps.batcher.add({ ...arrival, verification, events });
        const problem = results.find((result) => result.problem !== null)?.problem;
        if (problem) failures.push({ line, reason: problem });
        else if (results.every(({ effect }) => effect === "repeat")) done.repeated++;
        else done.applied++;
      }),
    );
    return failures.toSorted((a, b) => a.line - b.line);
  }

  /** Null: a line of an export that is made anew. @throws MalformedBody */
  async function readLine(line: number, bytes: Buffer | null): Promise<{ arrival: Arrival; isPulled: boolean } | null> {
    if (bytes === null) throw new MalformedBody(`Longer than ${importLimits.lineBytesMax} bytes`);
    const kind = kindOfLine(bytes);
    if (kind.kind === "made_of_events") return null;
    const isEvent = kind.kind === "event";
    const from = isEvent && kind.provider !== source.provider.name ? await otherSource(kind.provider) : source;
    const isPulled = isEvent && kind.isPulled;
    const request = {
      method: "POST",
      url: isEvent && isPulled ? kind.url : `import:${toPublicId("import", id)}#${line}`,
      headers: new Map([["content-type", [isEvent ? kind.contentType : "application/json"]]]),
      body: isEvent ? kind.body : bytes,
    };
    const receivedAt = (isEvent ? kind.receivedAt : null) ?? clock.now();
    const came = { isPulled, isImported: true, isDelivered: true };
    const events = readAs(from.provider, came, { request, setup: from.setup, receivedAtMs: receivedAt });
    if (!isEvent && !events.some((event) => event.aliases.length > 0)) {
      throw new MalformedBody("Nothing in it names a call");
    }
    if (events.length === 0) return null;
    const arrival: Arrival = {
      ...{ tenantId, sourceId: from.id, provider: from.provider.name, route: "own", mayCreateCalls: true },
      ...{ userId: from.userId, request, receivedAt, verification: "import", events },
    };
    return { arrival, isPulled };
  }

  function otherSource(name: string): Promise<ActiveSource> {
    const found = others.get(name) ?? importSource(deps, tenantId, name);
    others.set(name, found);
    return found;
  }
}

async function sourceFor(deps: ImportDeps, { tenantId, slug }: ImportInput): Promise<ActiveSource> {
  if (slug === null) return importSource(deps, tenantId, "generic", true);
  const source = await deps.sources.bySlug(slug);
  if (source?.tenantId === tenantId) return source;
  throw new Invalid("Unknown source", [{ pointer: "?source", detail: "GET /v1/sources lists the slugs" }]);
}

/** Where lines belong that name no source: the tenant's own of that provider, or one that only takes imports. */
async function importSource(
  { db, ids, sources }: ImportDeps,
  tenantId: string,
  name: string,
  isOwn = false,
): Promise<ActiveSource> {
  const provider = providerNamed(name);
  if (!provider) throw new MalformedBody(`No provider is called ${name}`);
  const slug = `imports-${name}-${tenantId.replaceAll("-", "")}`;
  const id = await db.inTransaction([tenantId], async (tx) => {
    const theirs = isOwn ? null : await sourceOfProvider(tx, tenantId, name);
    if (theirs) return theirs;
    const made = await insertSource(tx, {
      ...{ tenant_id: tenantId, id: ids.next(), slug, provider: name, name: `Imports (${provider.title})`, setup: {} },
      // Without a secret it takes no webhooks.
      ...{ auth: "required", on_given_routes: false, given_routes_create: false, user_id: null },
    });
    return made?.id ?? null;
  });
  if (id !== null) sources.forget();
  const source = id === null ? await sources.bySlug(slug) : await sources.byId(tenantId, id);
  if (!source) throw new MalformedBody(`The source ${slug} is disabled`);
  return source;
}
