import type { ClientBase } from "pg";

/**
 * The schema as text, read from the catalogs: what the migrations amount to, the same on every server version. Committed as
 * migrations/schema.sql, so that a review sees what a migration does to the whole. It documents; migrations build.
 */
export async function dumpSchema(client: ClientBase): Promise<string> {
  const parts = [header, ...(await textsOf(client, extensions)), ...(await textsOf(client, functions))];
  for (const table of await textsOf(client, tableNames)) parts.push(await dumpTable(client, table));
  return `${parts.join("\n\n")}\n`;
}

const header = `-- The schema after all migrations. Written by \`npm run db:dump\`; a test compares it with what the migrations make.`;

async function dumpTable(client: ClientBase, table: string): Promise<string> {
  const of = (query: string) => textsOf(client, query, [table]);
  const body = [...(await of(columns)), ...(await of(constraints))].map((line) => `  ${line}`).join(",\n");
  const [partitioning = ""] = await of(partitionKey);
  const [options = ""] = await of(storageOptions);
  const rest = [
    ...(await of(storages)),
    ...(await of(indexes)),
    ...(await of(triggers)),
    ...(await of(policies)),
    ...(await of(grants)),
  ];
  return [`create table ${table} (\n${body}\n)${partitioning}${options};`, ...rest.map((line) => `${line};`)].join(
    "\n",
  );
}

/** Every query here gives one column named `text`. */
async function textsOf(client: ClientBase, query: string, values: unknown[] = []): Promise<string[]> {
  const { rows } = await client.query<{ text: string }>(query, values);
  return rows.map(({ text }) => text);
}

const tableNames = `
  select relname::text as text from pg_class
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by relname`;

const extensions = `
  select format('create extension %I;', extname) as text from pg_extension where extname <> 'plpgsql' order by extname`;

const functions = `
  select pg_get_functiondef(p.oid) || ';' ||
    case when r.rolname like 'aftercall\\_lookup' then format(E'\\nalter function %s owner to %I;', p.oid::regprocedure, r.rolname) else '' end ||
    coalesce((select string_agg(format(E'\\ngrant execute on function %s to %s;', p.oid::regprocedure, g.who), '' order by g.who)
      from (select coalesce(u.rolname, 'public') as who from aclexplode(p.proacl) a left join pg_roles u on u.oid = a.grantee
            where a.grantee = 0 or u.rolname = 'aftercall_app') g), '') as text
  from pg_proc p join pg_roles r on r.oid = p.proowner
  where p.pronamespace = 'public'::regnamespace
    and not exists (select from pg_depend d where d.objid = p.oid and d.classid = 'pg_proc'::regclass and d.deptype = 'e')
  order by p.proname, p.oid::regprocedure::text`;

const columns = `
  select format('%I %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
    case when a.attidentity <> '' then ' generated always as identity'
         when d.adbin is not null then ' default ' || pg_get_expr(d.adbin, d.adrelid) else '' end,
    case when a.attnotnull then ' not null' else '' end) as text
  from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`;

const constraints = `
  select format('constraint %I %s', conname, pg_get_constraintdef(oid)) as text from pg_constraint
  where conrelid = $1::regclass and contype in ('p', 'u', 'f', 'c', 'x')
  order by array_position('{p,u,c,f,x}'::"char"[], contype), conname`;

const partitionKey = `
  select ' partition by ' || pg_get_partkeydef($1::regclass) as text where pg_get_partkeydef($1::regclass) is not null`;

const storageOptions = `
  select ' with (' || array_to_string(reloptions, ', ') || ')' as text from pg_class where oid = $1::regclass and reloptions is not null`;

const storages = `
  select format('alter table %s alter column %I set storage external', attrelid::regclass, attname) as text from pg_attribute
  where attrelid = $1::regclass and attnum > 0 and not attisdropped and attstorage = 'e' order by attnum`;

const indexes = `
  select pg_get_indexdef(indexrelid) as text from pg_index
  where indrelid = $1::regclass and not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))
  order by indexrelid::regclass::text`;

const triggers = `
  select pg_get_triggerdef(oid) || case tgenabled when 'A' then format(E';\\nalter table %s enable always trigger %I', tgrelid::regclass, tgname) else '' end as text
  from pg_trigger where tgrelid = $1::regclass and not tgisinternal order by tgname`;

const policies = `
  select text from (
    select 0 as rank, '' as name, format('alter table %s enable row level security', oid::regclass) as text
    from pg_class where oid = $1::regclass and relrowsecurity
    union all
    select 1, '', format('alter table %s force row level security', oid::regclass) from pg_class where oid = $1::regclass and relforcerowsecurity
    union all
    select 2, polname, format('create policy %I on %s for %s to %s using (%s)%s', polname, polrelid::regclass,
      case polcmd when '*' then 'all' when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' else 'delete' end,
      coalesce((select string_agg(rolname, ', ' order by rolname) from pg_roles where oid = any (polroles)), 'public'),
      pg_get_expr(polqual, polrelid), coalesce(' with check (' || pg_get_expr(polwithcheck, polrelid) || ')', ''))
    from pg_policy where polrelid = $1::regclass
  ) lines order by rank, name`;

const grants = `
  select format('grant %s on %s to %I', string_agg(lower(a.privilege_type), ', ' order by a.privilege_type), c.oid::regclass, r.rolname) as text
  from pg_class c cross join aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee
  where c.oid = $1::regclass and r.rolname like 'aftercall\\_%' group by c.oid, r.rolname order by r.rolname`;
