-- What was sent in an attempt, secrets masked. Text as it was written: it is only ever read whole.
alter table attempt_bodies add column request_headers json;

-- Which process holds a claim. Every process of the server holds the advisory lock (1633906540, its number) on the connection
-- that it listens on, so PostgreSQL itself knows in a moment that one is gone. Its number is a setting of all its connections;
-- where it is not set (an older version) only the lease counts.
alter table deliveries add column claimed_by int default nullif(current_setting('app.process', true), '')::int;
alter table delivery_workers add column process int default nullif(current_setting('app.process', true), '')::int;

create function live_processes() returns setof int language sql stable security definer set search_path = public
  as $$ select l.objid::bigint::int from pg_locks l
         where l.locktype = 'advisory' and l.classid = 1633906540 and l.objsubid = 2 and l.granted
           and l.database = (select oid from pg_database where datname = current_database()) $$;

-- Claims of processes that are gone. Never one's own: a connection may be lost for a moment while the process goes on.
create function lookup_orphaned_claims() returns table (tenant_id uuid, process int)
  language sql stable security definer set search_path = public
  as $$
    with live as materialized (select live_processes() as process)
    select distinct d.tenant_id, d.claimed_by from deliveries d
     where d.state = 'claimed' and d.claimed_by <> all (array(select process from live))
       and d.claimed_by is distinct from nullif(current_setting('app.process', true), '')::int
  $$;

-- Replaced in the name of their owner.
set local role aftercall_lookup;
-- A worker whose process is gone is not counted any more; one that comes is announced to the others, which make room for it.
create or replace function delivery_worker_seen(worker_id uuid, worker_node text, silent_ms int) returns int
  language sql security definer set search_path = public
  as $$
    delete from delivery_workers w where w.id <> worker_id and (w.seen_at < now() - silent_ms * interval '1 millisecond'
      or (w.seen_at < now() - interval '2 seconds' and w.process is not null and w.process not in (select live_processes())));
    with seen as (
      insert into delivery_workers (id, node) values (worker_id, worker_node) on conflict (id) do update set seen_at = now()
      returning xmax = 0 as is_new)
    select pg_notify('deliveries', 'joined') from seen where is_new;
    select count(*)::int from delivery_workers;
  $$;
reset role;

do $$
declare f text;
begin
  foreach f in array array['live_processes()', 'lookup_orphaned_claims()']
  loop
    execute format('revoke all on function %s from public', f);
    execute format('grant execute on function %s to aftercall_app, aftercall_lookup', f);
    execute format('alter function %s owner to aftercall_lookup', f);
  end loop;
end $$;

-- For the metrics: the endpoints whose oldest waiting delivery is oldest, with what holds it back. One row looked at for each lane.
create function lookup_latest_endpoints(endpoints_max int) returns table (tenant_id uuid, endpoint_id uuid, cause text, oldest_seconds double precision)
  language sql stable security definer set search_path = public
  as $$
    with recursive lane as (
      (select d.tenant_id, d.endpoint_id, d.is_retry, d.due_at from deliveries d where d.state = 'due' and not d.is_blocked
        order by d.tenant_id, d.endpoint_id, d.is_retry, d.due_at limit 1)
      union all
      (select n.* from lane l cross join lateral (
         select d.tenant_id, d.endpoint_id, d.is_retry, d.due_at from deliveries d
          where d.state = 'due' and not d.is_blocked and (d.tenant_id, d.endpoint_id, d.is_retry) > (l.tenant_id, l.endpoint_id, l.is_retry)
          order by d.tenant_id, d.endpoint_id, d.is_retry, d.due_at limit 1) as n))
    select l.tenant_id, l.endpoint_id,
           case when e.paused_at is not null then 'paused' when h.breaker <> 'closed' and e.is_breaker_on then 'breaker'
                when h.not_before > now() then 'throttled' else 'due' end,
           max(extract(epoch from now() - l.due_at))::float8 as oldest
      from lane l join endpoints e on e.tenant_id = l.tenant_id and e.id = l.endpoint_id
      join endpoint_health h on h.tenant_id = l.tenant_id and h.endpoint_id = l.endpoint_id
     where l.due_at <= now() and e.disabled_at is null
     group by 1, 2, 3 order by oldest desc limit endpoints_max
  $$;
revoke all on function lookup_latest_endpoints(int) from public;
grant execute on function lookup_latest_endpoints(int) to aftercall_app;
alter function lookup_latest_endpoints(int) owner to aftercall_lookup;
