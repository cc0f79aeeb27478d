-- What is told when sources or the queue are in trouble: two new tables, empty at first.

-- How a source usually sends: one row for each, written every half a minute by processes that heard of it. The lists are short:
-- days of the last two weeks, minutes of the last ten.
create table source_traffic (
  tenant_id uuid not null,
  source_id uuid not null,
  last_received_at timestamptz,
  days json not null default '[]',
  minutes json not null default '[]',
  primary key (tenant_id, source_id),
  foreign key (tenant_id, source_id) references sources (tenant_id, id) on delete cascade
) with (fillfactor = 50);

-- Something is wrong, or seems to be: told when it has held for a while, and again when it is over. No row: all is well.
create table alarms (
  tenant_id uuid not null references tenants (id),
  type text not null,
  -- A source, or the tenant itself.
  subject uuid not null,
  bad_since timestamptz not null,
  told_at timestamptz,
  good_since timestamptz,
  primary key (tenant_id, type, subject)
);

do $$
declare t text;
begin
  foreach t in array array['source_traffic', 'alarms'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format($p$create policy tenant_wall on %I
      using (tenant_id = any ((select app_tenants())::uuid[])) with check (tenant_id = any ((select app_tenants())::uuid[]))$p$, t);
    execute format('grant select, insert, update, delete on %I to aftercall_app', t);
  end loop;
end $$;

-- Tenants that want to hear of it: only theirs are looked at.
create function lookup_tenants_with_operational_endpoints() returns setof uuid language sql stable security definer set search_path = public
  as $$ select distinct e.tenant_id from endpoints e where e.kind = 'operational' and e.disabled_at is null $$;
revoke all on function lookup_tenants_with_operational_endpoints() from public;
grant execute on function lookup_tenants_with_operational_endpoints() to aftercall_app;
alter function lookup_tenants_with_operational_endpoints() owner to aftercall_lookup;
