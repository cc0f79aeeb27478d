import { toPublicId } from "@aftercall/contract/id.ts";

import type { Clock } from "#/kernel/clock.ts";
import { Conflict, Invalid } from "#/kernel/errors.ts";
import { type CallEvent, MalformedBody } from "#/providers/provider.ts";
import type { ActiveSource } from "#/sources/active.ts";

import type { Arrival } from "../arrival.ts";
import type { Batcher } from "../batch.ts";
import { quieted, readAs, verificationFor } from "../read-as.ts";
import { importLimits } from "./limits.ts";
import { type Line, linesOf } from "./lines.ts";
import { kindOfLine } from "./read-line.ts";
import { importSource, type SourceDeps } from "./source.ts";
import { type FailedLine, type ImportRow, type Progress, saveProgress, toldNames } from "./store.ts";

export type ImportDeps = SourceDeps & { readonly clock: Clock; readonly batcher: Pick<Batcher, "add"> };

/** An import whose file is being read, by the one who holds it. */
export type ImportRun = {
  readonly tenantId: string;
  readonly id: string;
  readonly holderId: string;
  readonly source: ActiveSource;
  readonly isDelivered: boolean;
  /** What was read of it before. */
  readonly begun: Progress;
};

/**
 * Takes in a file of past calls, line by line as it comes. Each line goes the way of a webhook and is stored once, so the same
 * lines may come again, after a cut or at any other time. The row of the import holds the progress.
 * @throws Conflict when it was canceled, or is read by somebody else; whatever ends the stream or the database is thrown after it
 * was written down.
 */
export async function readFile(deps: ImportDeps, run: ImportRun, body: AsyncIterable<Uint8Array>): Promise<void> {
  const { db, clock } = deps;
  const { tenantId, id, source, isDelivered, begun } = run;
  const others = new Map<string, Promise<ActiveSource>>();
  const done = { ...begun };
  const save = async (state: ImportRow["state"], failures: readonly FailedLine[] = []) => {
    if (await db.inTransaction([tenantId], (tx) => saveProgress(tx, run, state, done, failures))) return;
    throw new Conflict("The import was canceled, or somebody else went on with it");
  };
  try {
    for await (const { lines, bytesRead } of linesOf(body, { ...importLimits, now: clock.monotonic })) {
      if (done.lines + lines.length > importLimits.linesMax) {
        throw new Invalid(`A file may have ${importLimits.linesMax} lines`, []);
      }
      const { failures, ...counts } = await takeIn(lines);
      const room = Math.max(0, importLimits.failuresMax - done.failed);
      done.lines += lines.length;
      done.bytes = begun.bytes + bytesRead;
      done.applied += counts.applied;
      done.repeated += counts.repeated;
      done.skipped += counts.skipped;
      done.failed += failures.length;
      await save("running", failures.slice(0, room));
    }
    await save("done");
  } catch (error) {
    if (!(error instanceof Conflict)) await save("interrupted").catch(() => {});
    throw error;
  }

  /** Stores a group of lines, and counts what became of them. */
  async function takeIn(group: readonly Line[]): Promise<Counts> {
    const counts = { applied: 0, repeated: 0, skipped: 0 };
    const failures: FailedLine[] = [];
    const read: { readonly line: number; readonly arrival: Arrival; readonly isPulled: boolean }[] = [];
    for (const { number, bytes } of group) {
      const line = begun.lines + number;
      if (bytes !== null && bytes.toString().trim() === "") {
        counts.skipped++;
        continue;
      }
      try {
        // oxlint-disable-next-line no-await-in-loop -- Waits only for the first line of each provider.
        const one = await readLine(line, bytes);
        if (one) read.push({ line, ...one });
        else counts.skipped++;
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
        else if (results.every(({ effect }) => effect === "repeat")) counts.repeated++;
        else counts.applied++;
      }),
    );
    return { ...counts, failures: failures.toSorted((a, b) => a.line - b.line) };
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

type Counts = {
  readonly applied: number;
  readonly repeated: number;
  readonly skipped: number;
  /** Lines that could not be stored. */
  readonly failures: readonly FailedLine[];
};
