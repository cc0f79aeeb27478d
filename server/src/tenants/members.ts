import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { Member } from "@aftercall/contract/identity.ts";
import type { identityRoutes } from "@aftercall/contract/routes/identity.ts";
import { Role } from "@aftercall/contract/tenant.ts";

import { record } from "#/audit/record.ts";
import { readPage } from "#/db/page.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { Conflict, Forbidden, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { pageOf } from "#/kernel/page.ts";

import * as store from "./member-store.ts";
import { presentUser } from "./present.ts";

export type MemberOptions = {
  readonly db: Db;
  readonly ids: Ids;
  readonly clock: Clock;
  /** Called after somebody was taken out or given another role, so that this process forgets what it knew. */
  readonly forgetKeys: () => void;
};

type MemberRoutes = Pick<
  typeof identityRoutes,
  "listMembers" | "createMember" | "getMember" | "updateMember" | "removeMember"
>;

/** The people of a tenant. Nobody gives a role above their own, and nobody touches who is above them. */
export function memberHandlers({ db, ids, clock, forgetKeys }: MemberOptions): Handlers<MemberRoutes> {
  return {
    async listMembers({ tenant, query }) {
      const before = query.cursor === undefined ? null : fromPublicId("user", query.cursor);
      const rows = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, before, (probe, page) =>
          store.listMembers(probe, tenant, { role: query.role ?? null, ...page }),
        ),
      );
      return pageOf(rows, query.limit, show, (row) => toPublicId("user", row.id));
    },

    async createMember({ tenant, actor, body }) {
      requireRank(actor, body.role);
      const { external_id: externalId, role, name } = body;
      return db.inTransaction([tenant], async (tx) => {
        const row = await store.addMember(tx, { tenant, id: ids.next(), externalId, role }, name);
        if (!row) throw new Conflict("A member with this external_id exists");
        return written(tx, { tenant, actor }, "member.added", null, row);
      });
    },

    async getMember({ tenant, params }) {
      return show(await db.inTransaction([tenant], (tx) => memberOf(tx, tenant, params.id, "read")));
    },

    async updateMember({ tenant, actor, params, body, ifMatch }) {
      if (body.role !== undefined) requireRank(actor, body.role);
      const member = await db.inTransaction([tenant], async (tx) => {
        const before = await memberOf(tx, tenant, params.id, "lock");
        ifMatch?.(show(before));
        requireRank(actor, before.role);
        const { name = before.name, role = before.role } = body;
        const after = await store.saveMember(tx, { ...before, name, role });
        if (!after) throw new NotFound("Member");
        return written(tx, { tenant, actor }, "member.updated", before, after);
      });
      forgetKeys();
      return member;
    },

    async removeMember({ tenant, actor, params }) {
      const member = await db.inTransaction([tenant], async (tx) => {
        const before = await memberOf(tx, tenant, params.id, "lock");
        requireRank(actor, before.role);
        await store.removeMember(tx, tenant, before.id, new Date(clock.now()));
        await written(tx, { tenant, actor }, "member.removed", before, null);
        return show(before);
      });
      forgetKeys();
      return member;
    },
  };

  async function written(
    tx: Tx,
    who: { tenant: string; actor: Actor },
    action: string,
    before: store.MemberRow | null,
    after: store.MemberRow | null,
  ): Promise<Member> {
    const row = after ?? before;
    if (!row) throw new NotFound("Member");
    const sides = { before: before && show(before), after: after && show(after) };
    await record(tx, ids, { ...who, action, subject: toPublicId("user", row.id), ...sides });
    return show(row);
  }
}

async function memberOf(tx: Tx, tenant: string, id: string, lock: "lock" | "read"): Promise<store.MemberRow> {
  const row = await store.memberById(tx, tenant, id, lock);
  if (!row) throw new NotFound("Member");
  return row;
}

function requireRank(actor: Actor, role: Role): void {
  if (Role.options.indexOf(actor.role) >= Role.options.indexOf(role)) return;
  throw new Forbidden(`This concerns the role ${role}; the credential has the role ${actor.role}`);
}

function show(row: store.MemberRow): Member {
  return { ...presentUser(row), role: row.role };
}
