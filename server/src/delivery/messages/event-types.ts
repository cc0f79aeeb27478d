import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import type { EventTypeDetail } from "@aftercall/contract/event-type.ts";
import { eventTypeNames, eventTypeOf } from "@aftercall/contract/events.ts";
import type { eventTypeRoutes } from "@aftercall/contract/routes/event-types.ts";

import { record } from "#/audit/record.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { Conflict, Invalid, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";
import { pageOf } from "#/kernel/page.ts";

import { showOurType, showOwnType, summaryOfOurType } from "./show.ts";
import * as store from "./store.ts";
import { faultsOf } from "./validate.ts";

export type EventTypeDeps = { readonly db: Db; readonly ids: Ids };

/** The kinds of messages: ours, which cannot be changed, and the tenant's own. */
export function eventTypeHandlers({ db, ids }: EventTypeDeps): Handlers<typeof eventTypeRoutes> {
  return {
    async listEventTypes({ tenant, query }) {
      const own = await db.inTransaction([tenant], (tx) => store.listEventTypes(tx, tenant));
      const all = [...eventTypeNames.map(summaryOfOurType), ...own.map(showOwnType)]
        .filter(({ origin }) => query.origin === undefined || origin === query.origin)
        .filter(({ status }) => query.include_archived || status !== "archived")
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const rows = all.filter(({ name }) => query.cursor === undefined || name > query.cursor);
      return pageOf(
        { rows, ...(query.include && { total_estimate: { value: all.length, is_exact: true } }) },
        query.limit,
        (row) => row,
        ({ name }) => name,
      );
    },

    async getEventType({ tenant, params }) {
      if (eventTypeOf(params.name)) return showOurType(params.name);
      return showOwnType(await db.inTransaction([tenant], (tx) => typeOf(tx, tenant, params.name, "read")));
    },

    async createEventType({ tenant, actor, body }) {
      checkExamples(body.data_schema, body.examples);
      const row = await db.inTransaction([tenant], async (tx) => {
        if ((await store.countForCreation(tx, tenant)) >= limits.eventTypesMax) {
          throw new Conflict(`A tenant has at most ${limits.eventTypesMax} event types of its own`);
        }
        const created = await store.insertEventType(tx, tenant, { ...body, schema: body.data_schema });
        if (!created) throw new Conflict(`${body.name} is there already; change it, or take it back from the archive`);
        await audit(tx, { tenant, actor }, "event_type.created", body.name, { after: showOwnType(created) });
        return created;
      });
      return showOwnType(row);
    },

    async updateEventType({ tenant, actor, params, body, ifMatch }) {
      return change({ tenant, actor }, params.name, "event_type.updated", (row) => {
        ifMatch?.(showOwnType(row));
        const schema = body.data_schema === undefined ? row.schema : body.data_schema;
        const examples = body.examples ?? row.examples;
        checkExamples(schema, examples);
        return {
          name: row.name,
          title: body.title ?? row.title,
          description: body.description ?? row.description,
          schema,
          examples,
          isArchived: body.is_archived ?? row.archived_at !== null,
        };
      });
    },

    async archiveEventType({ tenant, actor, params }) {
      return change({ tenant, actor }, params.name, "event_type.archived", (row) => ({ ...row, isArchived: true }));
    },
  };

  async function change(
    who: { tenant: string; actor: Actor },
    name: string,
    action: string,
    changed: (row: store.EventTypeRow) => store.EventTypeValues & { isArchived: boolean },
  ): Promise<EventTypeDetail> {
    if (eventTypeOf(name)) throw new Conflict(`${name} is one of aftercall's own types and cannot be changed`);
    return db.inTransaction([who.tenant], async (tx) => {
      const before = await typeOf(tx, who.tenant, name, "lock");
      const after = await store.updateEventType(tx, who.tenant, changed(before));
      await audit(tx, who, action, name, { before: showOwnType(before), after: showOwnType(after) });
      return showOwnType(after);
    });
  }

  async function audit(
    tx: Tx,
    who: { tenant: string; actor: Actor },
    action: string,
    name: string,
    sides: { before?: object; after?: object },
  ): Promise<void> {
    await record(tx, ids, { ...who, action, subject: name, ...sides });
  }
}

async function typeOf(tx: Tx, tenant: string, name: string, lock: "lock" | "read"): Promise<store.EventTypeRow> {
  const row = await store.findEventType(tx, tenant, name, lock);
  if (!row) throw new NotFound("Event type");
  return row;
}

/** An example that its own schema refuses would mislead everybody who reads it. */
function checkExamples(schema: store.EventTypeRow["schema"], examples: Readonly<Record<string, unknown>>): void {
  if (schema === null) return;
  const faults = Object.entries(examples).flatMap(([name, example]) =>
    faultsOf(schema, example, `/examples/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`),
  );
  if (faults.length > 0) throw new Invalid("An example is not what the schema says", faults);
}
