-- What providers are asked, and what is brought in from files.

-- Calls that nobody has said the end of. `announced` changes once, at the end, so that the other updates of a call stay as cheap
-- as they are.
create index calls_open on calls (tenant_id, id) where announced = '{}' and merged_into is null;

-- When a source's provider was asked last, and what that found.
create table source_polls (
  tenant_id uuid not null,
  source_id uuid not null,
  due_at timestamptz not null,
  polled_at timestamptz not null,
  result text not null check (result in ('ok', 'off', 'refused', 'limited', 'unavailable', 'unreadable')),
  detail text,
  -- Requests of the last poll, and calls that it learned something about.
  request_count int not null default 0,
  found_count int not null default 0,
  found_total bigint not null default 0,
  -- Polls in a row that failed.
  failure_count int not null default 0,
  -- Calls that began before this have been listed.
  listed_until timestamptz,
  primary key (tenant_id, source_id),
  foreign key (tenant_id, source_id) references sources (tenant_id, id) on delete cascade
);

-- A call that a source's provider was asked about because nobody said its end.
create table call_pulls (
  tenant_id uuid not null,
  call_id uuid not null,
  source_id uuid not null,
  ask_count int not null default 0,
  due_at timestamptz not null,
  result text not null check (result in ('found', 'not_found', 'unreadable')),
  primary key (tenant_id, call_id, source_id),
  foreign key (tenant_id, call_id) references calls (tenant_id, id) deferrable initially deferred,
  foreign key (tenant_id, source_id) references sources (tenant_id, id) on delete cascade
);
create index call_pulls_source on call_pulls (tenant_id, source_id);

-- A file of past calls, and how far reading it has come.
create table imports (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  source_id uuid not null,
  -- Whether what follows from these calls is sent to endpoints.
  is_delivered boolean not null,
  state text not null default 'running' check (state in ('running', 'done', 'interrupted')),
  line_count bigint not null default 0,
  applied_count bigint not null default 0,
  repeated_count bigint not null default 0,
  skipped_count bigint not null default 0,
  failed_count bigint not null default 0,
  byte_count bigint not null default 0,
  actor text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, source_id) references sources (tenant_id, id) on delete cascade
);

-- The first lines that could not be read, with the reason; the counts go on.
create table import_failures (
  tenant_id uuid not null,
  import_id uuid not null,
  line bigint not null check (line > 0),
  reason text not null,
  primary key (tenant_id, import_id, line),
  foreign key (tenant_id, import_id) references imports (tenant_id, id) on delete cascade
);

do $$
declare t text;
begin
  foreach t in array array['source_polls', 'call_pulls', 'imports', 'import_failures']
  loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy tenant_wall on %I using (tenant_id = any ((select app_tenants())::uuid[])) with check (tenant_id = any ((select app_tenants())::uuid[]))', t);
  end loop;
end $$;

grant select, insert, update on source_polls, imports to aftercall_app;
grant select, insert, update, delete on call_pulls to aftercall_app;
grant select, insert on import_failures to aftercall_app;

-- Sources whose provider is to be asked now: enabled, with one of the secrets that its API takes.
grant select on source_polls, source_secrets to aftercall_lookup;
create policy lookup on source_polls for select to aftercall_lookup using (current_user = 'aftercall_lookup');
create policy lookup on source_secrets for select to aftercall_lookup using (current_user = 'aftercall_lookup');
create function lookup_due_polls(wanted_providers text[], wanted_slots text[], at timestamptz, most int)
  returns table (tenant_id uuid, source_id uuid, due_at timestamptz) language sql stable security definer set search_path = public
  as $$ select s.tenant_id, s.id, coalesce(p.due_at, s.created_at)
          from sources s
          join unnest(wanted_providers, wanted_slots) as w (provider, slot) on w.provider = s.provider
          left join source_polls p on p.tenant_id = s.tenant_id and p.source_id = s.id
         where s.is_enabled and coalesce(p.due_at, s.created_at + interval '5 minutes') <= at
           and coalesce(s.setup #>> '{api,polls}', 'true') = 'true'
           and exists (select 1 from source_secrets k where k.tenant_id = s.tenant_id and k.source_id = s.id and k.slot = w.slot
                         and (k.expires_at is null or k.expires_at > at))
         order by 3 limit most $$;

do $$
begin
  revoke all on function lookup_due_polls(text[], text[], timestamptz, int) from public;
  grant execute on function lookup_due_polls(text[], text[], timestamptz, int) to aftercall_app;
  alter function lookup_due_polls(text[], text[], timestamptz, int) owner to aftercall_lookup;
end $$;
