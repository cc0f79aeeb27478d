import { type Client, DatabaseError, escapeIdentifier } from "pg";

/** Who the application acts as, and who owns the functions that look across tenants. Neither can log in. */
const roles = ["aftercall_app", "aftercall_lookup"] as const;

/**
 * Creates the roles and lets the connected user act as them. Roles belong to the whole cluster, where no lock of one database
 * reaches, so losing a race against another database that migrates is part of the plan.
 * @throws Error with the SQL to run when the user may not do it.
 */
export async function ensureRoles(client: Client): Promise<void> {
  const { rows } = await client.query<Self>(
    `select current_user as name, rolsuper as is_superuser, current_setting('server_version_num')::int as version
     from pg_roles where rolname = current_user`,
  );
  const self = rows[0];
  if (!self) throw new Error("The connected user is not among the roles of the database");
  for (const role of roles) {
    await patiently(self, () => ensureRole(client, role));
    if (!self.is_superuser) await patiently(self, () => ensureMember(client, role, self));
  }
}

type Self = { readonly name: string; readonly is_superuser: boolean; readonly version: number };

async function ensureRole(client: Client, role: string): Promise<void> {
  const { rowCount } = await client.query("select from pg_roles where rolname = $1", [role]);
  if (!rowCount) await client.query(`create role ${role} nologin`);
}

/** Acting as a role is enough. Inheriting from it would also make its view across tenants the owner's (not avoidable before 16). */
async function ensureMember(client: Client, role: string, { version }: Self): Promise<void> {
  const right = version >= 160_000 ? "SET" : "MEMBER";
  const { rows } = await client.query<{ has: boolean }>("select pg_has_role(current_user, $1, $2) as has", [
    role,
    right,
  ]);
  if (rows[0]?.has) return;
  await client.query(`grant ${role} to current_user${version >= 160_000 ? " with inherit false, set true" : ""}`);
}

const lostRaces = new Set(["42710", "23505", "XX000"]); // duplicate_object, unique_violation, "tuple concurrently updated"

async function patiently(self: Self, work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      if (error.code === "42501") throw new Error(instruction(self), { cause: error });
      if (tries === 20 || !lostRaces.has(error.code ?? "")) throw error;
    }
  }
}

function instruction({ name, version }: Self): string {
  const user = escapeIdentifier(name);
  const manner = version >= 160_000 ? " with inherit false, set true" : "";
  return (
    `The database user ${name} may not create roles. Run this once as an administrator, then start again: ` +
    `${roles.map((role) => `create role ${role} nologin;`).join(" ")} grant ${roles.join(", ")} to ${user}${manner};`
  );
}
