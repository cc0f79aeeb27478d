-- Erasing what a call says, and showing that the log of events is complete all the same.
-- New tables; columns without a value on calls and events; on a big table nothing is rewritten.

alter table calls
  add column erased_at timestamptz,
  -- Why it must be kept; while this is set nothing of the call is erased.
  add column hold_reason text;
-- Calls whose content has to go again because something came after they were erased.
create index calls_erased on calls (tenant_id, id) where erased_at is not null;

-- The digest of a body that was erased: the seals are over digests, so they still fit.
alter table events add column body_digest bytea;

create table erasures (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  call_id uuid not null,
  cause text not null check (cause in ('request', 'retention', 'late_data')),
  actor text not null,
  reason text,
  -- Rows emptied or removed, by what they were.
  counts jsonb not null,
  -- Objects in the store that are still to be removed; the keys to read them are gone already.
  blob_keys text[] not null default '{}',
  erased_at timestamptz not null default now(),
  -- When the last object was removed as well.
  finished_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, call_id) references calls (tenant_id, id)
);
create index erasures_unfinished on erasures (erased_at) where finished_at is null;

-- How long a tenant keeps what calls say. Null: until somebody erases it.
create table retention_policies (
  tenant_id uuid not null references tenants (id),
  recordings_days int check (recordings_days between 1 and 3650),
  content_days int check (content_days between 1 and 3650),
  updated_at timestamptz not null default now(),
  primary key (tenant_id)
);

-- Seals over the log: each names the digest of all events up to a place in it, chained to the seal before. Append-only.
create table seals (
  tenant_id uuid not null references tenants (id),
  number int not null,
  upto_xid xid8 not null,
  upto_seq bigint not null,
  event_count int not null check (event_count > 0),
  -- sha256 over the digests of the events, in the order of the log.
  root bytea not null,
  -- sha256 over the head before, root, count and place.
  head bytea not null,
  sealed_at timestamptz not null default now(),
  primary key (tenant_id, number)
);
create trigger append_only before update or delete or truncate on seals for each statement execute function refuse_change();
alter table seals enable always trigger append_only;

-- What of an event is sealed. Its headers are not: they go with the body when it is erased.
create function event_digest(e events) returns bytea language sql stable
  as $$ select sha256(convert_to(concat_ws(chr(10), e.id, e.source_id, e.provider, e.type, e.key, e.part, e.route, e.verification,
          extract(epoch from e.received_at), encode(coalesce(e.body_digest, sha256(e.body)), 'hex')), 'UTF8')) $$;

-- The log refuses every change but one: erasing bodies, by the function below, which leaves digests in their place.
create or replace function refuse_change() returns trigger language plpgsql as $$
begin
  if tg_table_name = 'events' and tg_op = 'UPDATE' and current_setting('app.erasing', true) = 'yes' then
    return null;
  end if;
  raise exception '% is append-only: % refused', tg_table_name, lower(tg_op) using errcode = '42501';
end $$;
-- And that one change can be nothing else.
create function only_erase() returns trigger language plpgsql as $$
begin
  if new.body = '' and new.body_digest = sha256(old.body)
     and to_jsonb(new) - '{body,body_digest,headers,url}'::text[] = to_jsonb(old) - '{body,body_digest,headers,url}'::text[] then
    return new;
  end if;
  raise exception 'events is append-only: update refused' using errcode = '42501';
end $$;
create trigger only_erase before update on events for each row execute function only_erase();
alter table events enable always trigger only_erase;
-- Runs as the owner of the table, whom the tenant wall holds as well.
create function erase_event_bodies(wanted_tenant uuid, wanted_call uuid) returns int language plpgsql security definer set search_path = public
  as $$
declare erased int;
begin
  perform set_config('app.erasing', 'yes', true);
  update events e set body_digest = sha256(e.body), body = '', headers = '{}', url = split_part(e.url, '?', 1)
   where e.tenant_id = wanted_tenant and e.body_digest is null
     and (e.call_id = wanted_call or e.id in (select p.event_id from event_applications p
                                               where p.tenant_id = wanted_tenant and p.call_id = wanted_call));
  get diagnostics erased = row_count;
  perform set_config('app.erasing', '', true);
  return erased;
end $$;
revoke all on function erase_event_bodies(uuid, uuid) from public;
grant execute on function erase_event_bodies(uuid, uuid) to aftercall_app;

do $$
declare t text;
begin
  foreach t in array array['erasures', 'retention_policies', 'seals']
  loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy tenant_wall on %I using (tenant_id = any ((select app_tenants())::uuid[])) with check (tenant_id = any ((select app_tenants())::uuid[]))', t);
  end loop;
end $$;
grant select, insert, update on erasures, retention_policies to aftercall_app;
grant select, insert on seals to aftercall_app;
grant delete on transcripts, engine_answers, metric_sets to aftercall_app;
-- Comments may repeat what was said.
grant update (comment, effective) on evaluation_overrides to aftercall_app;
grant update (comment) on evaluation_reviews to aftercall_app;
