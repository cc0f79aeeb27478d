-- What did not arrive and how it is sent again; what is kept for how long; which private networks a tenant may reach.
-- Processes of the version before go on beside this: columns are added with constant defaults, and `attempts` takes the same
-- rows under the same name. `attempts` itself is not copied: it becomes the oldest partition of the new table.

-- Every reason for which a delivery can end without success.
alter table deliveries drop constraint if exists deliveries_reason_check;
alter table deliveries add constraint deliveries_reason_check check (reason in ('exhausted', 'blocked', 'gone', 'endpoint_disabled',
  'endpoint_deleted', 'expired', 'cancelled', 'rejected', 'too_large', 'render_failed'));

alter table deliveries
  -- The delivery that tries the same once more: from then on that one stands for both in the undelivered list.
  add column replaced_by uuid,
  -- Sent although its endpoint is disabled, because somebody said so.
  add column is_forced boolean not null default false,
  -- Attempts that were asked for by hand and not made yet.
  add column manual_pending smallint not null default 0;
drop index deliveries_undelivered;
create index deliveries_undelivered on deliveries (tenant_id, id) include (endpoint_id, reason)
  where state = 'undelivered' and replaced_by is null;
-- Progress of a resend, and what it has still to send.
create index deliveries_resent on deliveries (tenant_id, cause) where cause <> 'event';

alter table messages
  -- When its bytes were removed, by age or by hand. The row stays.
  add column expired_at timestamptz,
  -- When a message that had gone to no endpoint was sent to one after all.
  add column resent_at timestamptz;
create index messages_unrouted on messages (tenant_id, id) where unrouted_reason is not null and resent_at is null;
-- What can still be sent, by the time it was accepted.
create index messages_kept on messages (tenant_id, created_at, id) where expired_at is null;
create index messages_expired on messages (tenant_id, created_at) where expired_at is not null;

-- When an endpoint was disabled and enabled last: the time of what it missed, whoever disabled it.
alter table endpoints
  add column disabled_from timestamptz,
  add column disabled_until timestamptz;
update endpoints set disabled_from = disabled_at where disabled_at is not null;
create function note_disabled_time() returns trigger language plpgsql as $$
begin
  if new.disabled_at is not null then
    new.disabled_from := new.disabled_at;
    new.disabled_until := null;
  else
    new.disabled_until := now();
  end if;
  return new;
end $$;
create trigger disabled_time before update of disabled_at on endpoints for each row
  when ((old.disabled_at is null) <> (new.disabled_at is null)) execute function note_disabled_time();

-- A range of messages sent once more. Progress is a row, so a restart goes on where it stopped.
create table resends (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  mode text not null check (mode in ('failed', 'missing', 'all')),
  filter jsonb not null,
  -- Where to; null: each to the endpoint it was meant for.
  endpoint_id uuid,
  is_forced boolean not null default false,
  state text not null default 'running' check (state in ('running', 'paused', 'canceled', 'done')),
  rate_per_second int not null check (rate_per_second between 1 and 1000),
  -- What is younger is not part of it, so new traffic cannot make it endless.
  upper_at timestamptz not null default now(),
  -- The last one that was looked at, in the order of the selection.
  cursor_at timestamptz,
  cursor_id uuid,
  -- When the next step may be made: the rate, over any number of workers.
  next_at timestamptz not null default now(),
  -- How often it was handed to a worker.
  run_count int not null default 0,
  total_count int not null check (total_count >= 0),
  resent_count int not null default 0,
  actor text not null,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, endpoint_id) references endpoints (tenant_id, id)
);
create index resends_running on resends (next_at) where state = 'running';

-- Networks that are not public and that the operator opened for one tenant.
create table private_targets (
  tenant_id uuid not null references tenants (id),
  block cidr not null,
  granted_by text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, block)
);

-- A tenant that was closed keeps its rows; nobody can ask for them any more.
alter table tenants add column deleted_at timestamptz;

-- Keys of events are found by age; they are written in the order of time, so a block range says enough.
create index event_keys_first_seen on event_keys using brin (first_seen_at);
create index quarantine_received on quarantine (tenant_id, received_at);

-- Attempts by day. The days live in a schema of their own, which nobody but the owner may enter: they are reached through
-- their parents, where row-level security stands. No foreign key to deliveries: a row is written by the statement that
-- changes its delivery, and dropping a day must not lock the queue.
create schema partitions;

alter table attempts
  drop constraint attempts_pkey,
  drop constraint attempts_tenant_id_delivery_id_fkey,
  add column url text,
  add column trigger text not null default 'schedule' check (trigger in ('schedule', 'manual', 'resend'));
drop policy tenant_wall on attempts;
alter table attempts no force row level security, disable row level security;
revoke all on attempts from aftercall_app;
do $$
begin
  execute format('alter table attempts rename to %I', 'attempts_until_' || to_char((now() at time zone 'UTC')::date + 1, 'YYYYMMDD'));
  execute format('alter table %I set schema partitions', 'attempts_until_' || to_char((now() at time zone 'UTC')::date + 1, 'YYYYMMDD'));
end $$;

create table attempts (
  tenant_id uuid not null,
  delivery_id uuid not null,
  number int not null,
  started_at timestamptz not null,
  duration_ms int not null,
  -- HTTP status, 0 without an answer.
  status int not null,
  class text not null,
  error text,
  -- Only written by versions before attempt_bodies.
  response_headers jsonb,
  response_body bytea,
  node text not null,
  -- Where it went: endpoints change.
  url text,
  trigger text not null default 'schedule' constraint attempts_trigger_check check (trigger in ('schedule', 'manual', 'resend')),
  primary key (tenant_id, delivery_id, number, started_at)
) partition by range (started_at);

-- What was answered, apart from the narrow row and kept for a shorter time.
create table attempt_bodies (
  tenant_id uuid not null,
  delivery_id uuid not null,
  number int not null,
  started_at timestamptz not null,
  response_headers jsonb,
  response_body bytea,
  primary key (tenant_id, delivery_id, number, started_at)
) partition by range (started_at);
alter table attempt_bodies alter column response_body set storage external;

-- For what a clock that is far off brings: it must not be lost, and no day is made for it.
create table partitions.attempts_rest partition of attempts default;
create table partitions.attempt_bodies_rest partition of attempt_bodies default;

do $$
declare
  tomorrow date := (now() at time zone 'UTC')::date + 1;
begin
  execute format('alter table attempts attach partition partitions.%I for values from (minvalue) to (%L)',
    'attempts_until_' || to_char(tomorrow, 'YYYYMMDD'), tomorrow::text || ' 00:00:00+00');
end $$;

-- Makes today's and the coming days' partitions of attempts, and says how many whole days ahead are ready.
create function prepare_attempt_days(days_ahead int) returns int language plpgsql security definer set search_path = public as $$
declare
  parent text;
  day date;
  name text;
  starts timestamptz;
  ends timestamptz;
begin
  perform set_config('lock_timeout', '2s', true);
  perform pg_advisory_xact_lock(4400002);
  foreach parent in array array['attempts', 'attempt_bodies'] loop
    for day in select generate_series(0, days_ahead) + (now() at time zone 'UTC')::date loop
      name := parent || '_until_' || to_char(day + 1, 'YYYYMMDD');
      continue when to_regclass(format('partitions.%I', name)) is not null;
      starts := day::timestamp at time zone 'UTC';
      ends := (day + 1)::timestamp at time zone 'UTC';
      execute format('create table partitions.%I (like public.%I including defaults including constraints including storage)', name, parent);
      execute format('with moved as (delete from partitions.%I where started_at >= %L and started_at < %L returning *)
        insert into partitions.%I select * from moved', parent || '_rest', starts, ends, name);
      execute format('alter table public.%I attach partition partitions.%I for values from (%L) to (%L)', parent, name, starts, ends);
    end loop;
  end loop;
  return days_ahead;
end $$;

-- Drops the days of attempts or attempt_bodies that are older than some days, and gives their names.
create function drop_attempt_days(parent text, days_kept int) returns setof text language plpgsql security definer set search_path = public as $$
declare
  name text;
begin
  if parent not in ('attempts', 'attempt_bodies') or days_kept < 1 then
    raise exception 'not a table of attempts, or no days to keep';
  end if;
  perform set_config('lock_timeout', '2s', true);
  for name in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = format('public.%I', parent)::regclass and c.relname ~ '_until_[0-9]{8}$'
       and to_date(right(c.relname, 8), 'YYYYMMDD') <= (now() at time zone 'UTC')::date - days_kept
     order by 1
  loop
    execute format('drop table partitions.%I', name);
    return next name;
  end loop;
  execute format('delete from partitions.%I where started_at < now() - %L::interval', parent || '_rest', days_kept || ' days');
end $$;

-- Whole days after today for which both tables have a partition.
create function attempt_days_ahead() returns int language sql stable security definer set search_path = public as $$
  select greatest(min(days), 0) from (
    select max(to_date(right(c.relname, 8), 'YYYYMMDD')) - (now() at time zone 'UTC')::date - 1 as days
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent in ('public.attempts'::regclass, 'public.attempt_bodies'::regclass) and c.relname ~ '_until_[0-9]{8}$'
     group by i.inhparent) as of_table
$$;

select prepare_attempt_days(7);

do $$
declare t text;
begin
  foreach t in array array['attempts', 'attempt_bodies', 'resends', 'private_targets']
  loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy tenant_wall on %I using (tenant_id = any ((select app_tenants())::uuid[])) with check (tenant_id = any ((select app_tenants())::uuid[]))', t);
  end loop;
end $$;

grant select, insert on attempts, attempt_bodies to aftercall_app;
grant update (response_headers, response_body) on attempts to aftercall_app;
grant delete on attempt_bodies, message_bodies, messages, deliveries, event_keys to aftercall_app;
grant select, insert, update on resends to aftercall_app;
grant select, insert, delete on private_targets to aftercall_app;
grant update (name, deleted_at) on tenants to aftercall_app;

-- Resends that nobody has worked at for a while although they should go on.
grant select on resends to aftercall_lookup;
create policy lookup on resends for select to aftercall_lookup using (current_user = 'aftercall_lookup');
create function lookup_idle_resends(idle interval) returns table (tenant_id uuid, id uuid) language sql stable security definer set search_path = public
  as $$ select r.tenant_id, r.id from resends r where r.state = 'running' and r.next_at < now() - idle $$;

do $$
declare f text;
begin
  foreach f in array array['prepare_attempt_days(int)', 'drop_attempt_days(text, int)', 'attempt_days_ahead()']
  loop
    execute format('revoke all on function %s from public', f);
    execute format('grant execute on function %s to aftercall_app', f);
  end loop;
  revoke all on function lookup_idle_resends(interval) from public;
  grant execute on function lookup_idle_resends(interval) to aftercall_app;
  alter function lookup_idle_resends(interval) owner to aftercall_lookup;
end $$;
