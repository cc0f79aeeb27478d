-- Who may send now, in which order, and how well an endpoint does. Everything that holds an endpoint back is a column that the
-- claim reads, so what may not send costs neither a slot nor a look at its waiting rows.

-- The hot row of an endpoint, apart from its settings: changed in place (HOT) while settings stay cached.
create table endpoint_health (
  tenant_id uuid not null,
  endpoint_id uuid not null,
  -- Token bucket: what was left at refilled_at. Null: full.
  tokens double precision,
  refilled_at timestamptz not null default now(),
  -- The receiver asked for a pause (429, 502, 503, 504): nothing goes out before.
  not_before timestamptz,
  -- open: nothing is sent until open_until · half_open: one attempt is under way to see whether the receiver is back.
  breaker text not null default 'closed' check (breaker in ('closed', 'open', 'half_open')),
  opened_at timestamptz,
  open_until timestamptz,
  -- How often in a row it opened: each time it stays open twice as long.
  open_count int not null default 0,
  -- When it closed last: sending begins slowly.
  closed_at timestamptz,
  -- Attempts and failed ones of the last five minutes in slices of thirty seconds; window_slice is the number of the newest.
  window_slice bigint not null default 0,
  window_attempts int[] not null default '{}',
  window_failures int[] not null default '{}',
  -- Since when it is judged: made, or enabled again.
  watched_from timestamptz not null default now(),
  -- Since the last success.
  first_failed_at timestamptz,
  last_failed_at timestamptz,
  failed_count int not null default 0,
  last_succeeded_at timestamptz,
  -- The last threshold that was told: 0, 50, 70, 90, 100.
  warned_percent smallint not null default 0,
  -- Whether a success changes anything: if not, it need not be written.
  is_clean boolean not null generated always as (breaker = 'closed' and failed_count = 0) stored,
  primary key (tenant_id, endpoint_id),
  foreign key (tenant_id, endpoint_id) references endpoints (tenant_id, id) on delete cascade
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

insert into endpoint_health (tenant_id, endpoint_id) select tenant_id, id from endpoints;

-- Every endpoint has its row from birth, whoever makes it; an endpoint that is enabled again starts anew.
create function start_endpoint_health() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    insert into endpoint_health (tenant_id, endpoint_id) values (new.tenant_id, new.id) on conflict do nothing;
  else
    update endpoint_health set not_before = null, breaker = 'closed', opened_at = null, open_until = null, open_count = 0, closed_at = null,
           window_attempts = '{}', window_failures = '{}', watched_from = now(), first_failed_at = null, last_failed_at = null,
           failed_count = 0, warned_percent = 0
     where tenant_id = new.tenant_id and endpoint_id = new.id;
  end if;
  return null;
end $$;
create trigger endpoint_health_begins after insert on endpoints for each row execute function start_endpoint_health();
create trigger endpoint_health_begins_anew after update of disabled_at on endpoints for each row
  when (old.disabled_at is not null and new.disabled_at is null) execute function start_endpoint_health();

alter table endpoint_health enable row level security;
alter table endpoint_health force row level security;
create policy tenant_wall on endpoint_health using (tenant_id = any ((select app_tenants())::uuid[])) with check (tenant_id = any ((select app_tenants())::uuid[]));
create policy lookup on endpoint_health for select to aftercall_lookup using (current_user = 'aftercall_lookup');
grant select, insert, update on endpoint_health to aftercall_app;
grant select on endpoint_health to aftercall_lookup;

-- Disabled by a person, by the answer 410, or because nothing arrived for days.
alter table endpoints drop constraint endpoints_disabled_reason_check;
alter table endpoints add constraint endpoints_disabled_reason_check check (disabled_reason in ('user', 'gone', 'failing'));

-- Messages of one key (a call, or what the sender of a message chose) are numbered without gaps.
alter table messages
  add column order_key text check (length(order_key) between 1 and 255),
  add column sequence int;
drop index messages_call;
create index messages_call on messages (call_id, tenant_id, sequence) where call_id is not null;
create index messages_order_key on messages (tenant_id, order_key, sequence) where order_key is not null;

alter table deliveries
  -- Set where the endpoint wants order: one line for each key.
  add column order_key text,
  add column sequence int,
  -- Waits for an earlier one of its line.
  add column is_blocked boolean not null default false,
  -- Claims in a row that ran out without a result.
  add column lost_count smallint not null default 0,
  -- Not a first attempt: these share slots apart, so that a backlog of them leaves room for what is new.
  add column is_retry boolean not null generated always as (attempt_count > 0 or cause <> 'event') stored;
alter table deliveries drop constraint deliveries_reason_check;
alter table deliveries add constraint deliveries_reason_check check (reason in ('exhausted', 'blocked', 'gone', 'endpoint_disabled',
  'endpoint_deleted', 'expired', 'cancelled', 'rejected', 'too_large', 'render_failed'));

-- A lane: what waits for one endpoint, first attempts apart from retries. The claim walks from lane to lane by this index, so
-- neither the rows behind the first of a lane nor finished ones are ever looked at.
drop index deliveries_due;
create index deliveries_lane on deliveries (tenant_id, endpoint_id, is_retry, due_at, id) where state = 'due' and not is_blocked;
create index deliveries_line on deliveries (tenant_id, endpoint_id, order_key, sequence) where order_key is not null and state <> 'delivered';
create index deliveries_blocked on deliveries (tenant_id, endpoint_id, order_key, sequence) where state = 'due' and is_blocked;
-- By endpoint, because the claim counts what is in flight over all processes.
drop index deliveries_leased;
create index deliveries_leased on deliveries (tenant_id, endpoint_id, lease_until) where state = 'claimed';

-- Processes that deliver. Two of them share what an endpoint takes at once.
create table delivery_workers (
  id uuid primary key,
  node text not null,
  seen_at timestamptz not null default now()
);
alter table delivery_workers enable row level security;
alter table delivery_workers force row level security;
create policy lookup on delivery_workers to aftercall_lookup using (current_user = 'aftercall_lookup') with check (current_user = 'aftercall_lookup');
grant select, insert, update, delete on delivery_workers to aftercall_lookup;

-- Says that a process lives, and counts those that do.
create function delivery_worker_seen(worker_id uuid, worker_node text, silent_ms int) returns int language sql security definer set search_path = public
  as $$
    delete from delivery_workers where seen_at < now() - silent_ms * interval '1 millisecond' and id <> worker_id;
    insert into delivery_workers (id, node) values (worker_id, worker_node) on conflict (id) do update set seen_at = now();
    select count(*)::int from delivery_workers;
  $$;
create function delivery_worker_gone(worker_id uuid) returns void language sql security definer set search_path = public
  as $$ delete from delivery_workers where id = worker_id $$;

-- The functions below read settings of endpoints that the next file adds.
set local check_function_bodies = off;

-- What may be sent now, one row for each lane: tenants in turn, and within a tenant its endpoints in random order. is_gated: the
-- endpoint has a limit that the claim must count itself. is_closed: the endpoint is disabled, what waits for it is undelivered.
-- The last row has no endpoint and says when the next lane that waits for a time may send.
create function lookup_lanes(lanes_max int, full_endpoints uuid[], workers int)
  returns table (tenant_id uuid, endpoint_id uuid, is_retry boolean, is_closed boolean, is_gated boolean, in_flight_max int,
    wait_ms double precision)
  language sql stable security definer set search_path = public
  as $$
    with recursive lane as (
      (select d.tenant_id, d.endpoint_id, d.is_retry, d.due_at from deliveries d where d.state = 'due' and not d.is_blocked
        order by d.tenant_id, d.endpoint_id, d.is_retry, d.due_at limit 1)
      union all
      (select n.* from lane l cross join lateral (
         select d.tenant_id, d.endpoint_id, d.is_retry, d.due_at from deliveries d
          where d.state = 'due' and not d.is_blocked and (d.tenant_id, d.endpoint_id, d.is_retry) > (l.tenant_id, l.endpoint_id, l.is_retry)
          order by d.tenant_id, d.endpoint_id, d.is_retry, d.due_at limit 1) as n)),
    judged as materialized (
      select l.tenant_id, l.endpoint_id, l.is_retry, e.disabled_at is not null as is_closed,
             (e.rate_limit is not null or e.order_mode <> 'none' or (h.breaker <> 'closed' and e.is_breaker_on)
               or h.closed_at > now() - interval '30 seconds' or e.in_flight_max < workers) as is_gated,
             case when h.breaker = 'half_open' and e.is_breaker_on then 1 else e.in_flight_max end as in_flight_max,
             greatest(l.due_at, h.not_before, case when h.breaker = 'open' and e.is_breaker_on then h.open_until end,
               case when e.paused_at is not null then 'infinity'::timestamptz end,
               h.refilled_at + greatest(1 - h.tokens, 0) * e.rate_per_seconds / e.rate_limit * interval '1 second') as ready_at
        from lane l
        join lateral (select * from endpoints where tenant_id = l.tenant_id and id = l.endpoint_id limit 1) as e on true
        join lateral (select * from endpoint_health where tenant_id = l.tenant_id and endpoint_id = l.endpoint_id limit 1) as h on true),
    ready as (
      select j.*, row_number() over (partition by j.tenant_id order by random()) as turn
        from judged j
       where j.is_closed or (j.ready_at <= now() and j.endpoint_id <> all (full_endpoints)
         and (not j.is_gated or j.in_flight_max > (select count(*) from deliveries c
               where c.tenant_id = j.tenant_id and c.endpoint_id = j.endpoint_id and c.state = 'claimed'))))
    (select r.tenant_id, r.endpoint_id, r.is_retry, r.is_closed, r.is_gated, r.in_flight_max, 0 from ready r order by r.turn, random() limit lanes_max)
    union all
    select null, null, null, null, null, null, extract(epoch from min(j.ready_at) - now())::float8 * 1000
      from judged j where not j.is_closed and j.ready_at > now() and j.ready_at < 'infinity'
  $$;

-- For the metrics: what waits, by cause, with the age of the oldest; and the state of the breakers.
create function lookup_backlog() returns table (cause text, count bigint, oldest_seconds double precision)
  language sql stable security definer set search_path = public
  as $$
    select w.cause, count(*), coalesce(max(extract(epoch from now() - w.since))::float8, 0)
      from (select case when d.is_blocked then 'order' when e.paused_at is not null then 'paused'
                        when h.breaker <> 'closed' and e.is_breaker_on then 'breaker'
                        when h.not_before > now() then 'throttled'
                        when d.due_at > now() then 'scheduled' else 'due' end as cause,
                   case when d.due_at > now() then d.created_at else d.due_at end as since
              from deliveries d join endpoints e on e.tenant_id = d.tenant_id and e.id = d.endpoint_id
              join endpoint_health h on h.tenant_id = d.tenant_id and h.endpoint_id = d.endpoint_id
             where d.state = 'due') as w
     group by w.cause
  $$;
create function lookup_breakers() returns table (breaker text, count bigint) language sql stable security definer set search_path = public
  as $$ select h.breaker, count(*) from endpoint_health h join endpoints e on e.tenant_id = h.tenant_id and e.id = h.endpoint_id
         where e.disabled_at is null group by h.breaker $$;

-- Replaced in the name of their owner.
set local role aftercall_lookup;
create or replace function lookup_oldest_due_seconds() returns double precision language sql stable security definer set search_path = public
  as $$
    with recursive lane as (
      (select d.tenant_id, d.endpoint_id, d.is_retry, d.due_at from deliveries d where d.state = 'due' and not d.is_blocked
        order by d.tenant_id, d.endpoint_id, d.is_retry, d.due_at limit 1)
      union all
      (select n.* from lane l cross join lateral (
         select d.tenant_id, d.endpoint_id, d.is_retry, d.due_at from deliveries d
          where d.state = 'due' and not d.is_blocked and (d.tenant_id, d.endpoint_id, d.is_retry) > (l.tenant_id, l.endpoint_id, l.is_retry)
          order by d.tenant_id, d.endpoint_id, d.is_retry, d.due_at limit 1) as n))
    select coalesce(extract(epoch from now() - min(l.due_at)), 0) from lane l where l.due_at <= now()
  $$;
-- Asked by processes of the version before this one.
create or replace function lookup_tenants_with_due_deliveries() returns setof uuid language sql stable security definer set search_path = public
  as $$ select distinct e.tenant_id from endpoints e where exists (select 1 from deliveries d
         where d.tenant_id = e.tenant_id and d.endpoint_id = e.id and d.state = 'due' and not d.is_blocked and d.due_at <= now()) $$;
reset role;

-- Tenants with lines in which somebody waits.
create function lookup_tenants_with_blocked_deliveries() returns setof uuid language sql stable security definer set search_path = public
  as $$ select distinct d.tenant_id from deliveries d where d.state = 'due' and d.is_blocked $$;

do $$
declare f text;
begin
  foreach f in array array['lookup_lanes(int, uuid[], int)', 'lookup_backlog()', 'lookup_breakers()', 'lookup_tenants_with_blocked_deliveries()',
    'delivery_worker_seen(uuid, text, int)', 'delivery_worker_gone(uuid)']
  loop
    execute format('revoke all on function %s from public', f);
    execute format('grant execute on function %s to aftercall_app', f);
    execute format('alter function %s owner to aftercall_lookup', f);
  end loop;
end $$;
