-- Masked words are the ones that count, and what could not be masked is held back. Transcripts that a person put right.
-- Columns with constant defaults: nothing is rewritten and nothing is locked for long.

alter table pipelines
  -- A person's version of what was said; it takes the place of the provider's.
  add column edited_transcript_id uuid,
  -- The words had to be masked and could not be: nobody is shown them.
  add column is_withheld boolean not null default false;

-- Only an administrator hears it: the plan publishes recordings with personal data silenced.
alter table recordings add column is_restricted boolean not null default false;

-- Row-level security lets only leakproof operators near an index, and `like` is none: through the wall, every search would read
-- every line of the tenant. So the words are looked up by this function, which holds to the same wall itself.
grant select on call_search to aftercall_lookup;
-- True, and not the owner by name as elsewhere: a condition here would keep the patterns away from the index. Who acts as the
-- application is no member of this role; before PostgreSQL 16 the owner of the tables is, and sees these rows when it migrates.
create policy lookup on call_search for select to aftercall_lookup using (true);
create function find_calls(wanted_tenant uuid, patterns text[]) returns setof uuid language plpgsql stable security definer set search_path = public
  as $$
declare conditions text;
begin
  if (wanted_tenant = any ((select app_tenants())::uuid[])) is not true then
    return;
  end if;
  -- One condition for each pattern, written out: only so does each of them use the index.
  select string_agg(format('s.text like %L', p), ' and ') into conditions from unnest(patterns) as p;
  return query execute format('select s.call_id from call_search s where s.tenant_id = $1 and %s', coalesce(conditions, 'false'))
    using wanted_tenant;
end $$;
revoke all on function find_calls(uuid, text[]) from public;
grant execute on function find_calls(uuid, text[]) to aftercall_app;
alter function find_calls(uuid, text[]) owner to aftercall_lookup;
