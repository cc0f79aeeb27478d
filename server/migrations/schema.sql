-- The schema after all migrations. Written by `npm run db:dump`; a test compares it with what the migrations make.

create extension pg_trgm;

CREATE OR REPLACE FUNCTION public.app_tenants()
 RETURNS uuid[]
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$ select nullif(current_setting('app.tenants', true), '')::uuid[] $function$
;
grant execute on function app_tenants() to aftercall_app;
grant execute on function app_tenants() to public;

CREATE OR REPLACE FUNCTION public.attempt_days_ahead()
 RETURNS integer
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select greatest(min(days), 0) from (
    select max(to_date(right(c.relname, 8), 'YYYYMMDD')) - (now() at time zone 'UTC')::date - 1 as days
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent in ('public.attempts'::regclass, 'public.attempt_bodies'::regclass) and c.relname ~ '_until_[0-9]{8}$'
     group by i.inhparent) as of_table
$function$
;
grant execute on function attempt_days_ahead() to aftercall_app;

CREATE OR REPLACE FUNCTION public.delivery_worker_gone(worker_id uuid)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ delete from delivery_workers where id = worker_id $function$
;
alter function delivery_worker_gone(uuid) owner to aftercall_lookup;
grant execute on function delivery_worker_gone(uuid) to aftercall_app;

CREATE OR REPLACE FUNCTION public.delivery_worker_seen(worker_id uuid, worker_node text, silent_ms integer)
 RETURNS integer
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
    delete from delivery_workers w where w.id <> worker_id and (w.seen_at < now() - silent_ms * interval '1 millisecond'
      or (w.seen_at < now() - interval '2 seconds' and w.process is not null and w.process not in (select live_processes())));
    with seen as (
      insert into delivery_workers (id, node) values (worker_id, worker_node) on conflict (id) do update set seen_at = now()
      returning xmax = 0 as is_new)
    select pg_notify('deliveries', 'joined') from seen where is_new;
    select count(*)::int from delivery_workers;
  $function$
;
alter function delivery_worker_seen(uuid,text,integer) owner to aftercall_lookup;
grant execute on function delivery_worker_seen(uuid,text,integer) to aftercall_app;

CREATE OR REPLACE FUNCTION public.drop_attempt_days(parent text, days_kept integer)
 RETURNS SETOF text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
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
end $function$
;
grant execute on function drop_attempt_days(text,integer) to aftercall_app;

CREATE OR REPLACE FUNCTION public.erase_event_bodies(wanted_tenant uuid, wanted_call uuid)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
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
end $function$
;
grant execute on function erase_event_bodies(uuid,uuid) to aftercall_app;

CREATE OR REPLACE FUNCTION public.erase_events(wanted_tenant uuid, wanted uuid[])
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
declare erased int;
begin
  perform set_config('app.erasing', 'yes', true);
  update events e set body_digest = sha256(e.body), body = '', headers = '{}', url = split_part(e.url, '?', 1)
   where e.tenant_id = wanted_tenant and e.id = any (wanted) and e.body_digest is null;
  get diagnostics erased = row_count;
  perform set_config('app.erasing', '', true);
  return erased;
end $function$
;
grant execute on function erase_events(uuid,uuid[]) to aftercall_app;

CREATE OR REPLACE FUNCTION public.event_digest(e events)
 RETURNS bytea
 LANGUAGE sql
 STABLE
AS $function$ select sha256(convert_to(concat_ws(chr(10), e.id, e.source_id, e.provider, e.type, e.key, e.part, e.route, e.verification,
          extract(epoch from e.received_at), encode(coalesce(e.body_digest, sha256(e.body)), 'hex')), 'UTF8')) $function$
;

CREATE OR REPLACE FUNCTION public.find_calls(wanted_tenant uuid, patterns text[])
 RETURNS SETOF uuid
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
declare conditions text;
begin
  if (wanted_tenant = any ((select app_tenants())::uuid[])) is not true then
    return;
  end if;
  -- One condition for each pattern, written out: only so does each of them use the index.
  select string_agg(format('s.text like %L', p), ' and ') into conditions from unnest(patterns) as p;
  return query execute format('select s.call_id from call_search s where s.tenant_id = $1 and %s', coalesce(conditions, 'false'))
    using wanted_tenant;
end $function$
;
alter function find_calls(uuid,text[]) owner to aftercall_lookup;
grant execute on function find_calls(uuid,text[]) to aftercall_app;

CREATE OR REPLACE FUNCTION public.follows_deliveries(tenant uuid)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
begin
  perform pg_advisory_xact_lock_shared(hashtextextended('deliveries ' || tenant::text, 0));
  return exists (select from delivery_follows f where f.tenant_id = tenant and f.until > now());
end $function$
;

CREATE OR REPLACE FUNCTION public.hold_paused_delivery()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if exists (select 1 from messages m join calls c on c.tenant_id = m.tenant_id and c.id = m.call_id
      join campaigns p on p.tenant_id = c.tenant_id and p.id = c.campaign_id
     where m.tenant_id = new.tenant_id and m.id = new.message_id and p.deliveries_paused_at is not null) then
    new.due_at := 'infinity';
  end if;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.live_processes()
 RETURNS SETOF integer
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select l.objid::bigint::int from pg_locks l
         where l.locktype = 'advisory' and l.classid = 1633906540 and l.objsubid = 2 and l.granted
           and l.database = (select oid from pg_database where datname = current_database()) $function$
;
alter function live_processes() owner to aftercall_lookup;
grant execute on function live_processes() to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_api_key(wanted bytea)
 RETURNS TABLE(tenant_id uuid, id uuid)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select k.tenant_id, k.id from api_keys k where k.digest = wanted $function$
;
alter function lookup_api_key(bytea) owner to aftercall_lookup;
grant execute on function lookup_api_key(bytea) to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_backlog()
 RETURNS TABLE(cause text, count bigint, oldest_seconds double precision)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
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
  $function$
;
alter function lookup_backlog() owner to aftercall_lookup;
grant execute on function lookup_backlog() to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_breakers()
 RETURNS TABLE(breaker text, count bigint)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select h.breaker, count(*) from endpoint_health h join endpoints e on e.tenant_id = h.tenant_id and e.id = h.endpoint_id
         where e.disabled_at is null group by h.breaker $function$
;
alter function lookup_breakers() owner to aftercall_lookup;
grant execute on function lookup_breakers() to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_due_polls(wanted_providers text[], wanted_slots text[], at timestamp with time zone, most integer)
 RETURNS TABLE(tenant_id uuid, source_id uuid, due_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select s.tenant_id, s.id, coalesce(p.due_at, s.created_at)
          from sources s
          join unnest(wanted_providers, wanted_slots) as w (provider, slot) on w.provider = s.provider
          left join source_polls p on p.tenant_id = s.tenant_id and p.source_id = s.id
         where s.is_enabled and coalesce(p.due_at, s.created_at + interval '5 minutes') <= at
           and coalesce(s.setup #>> '{api,polls}', 'true') = 'true'
           and exists (select 1 from source_secrets k where k.tenant_id = s.tenant_id and k.source_id = s.id and k.slot = w.slot
                         and (k.expires_at is null or k.expires_at > at))
         order by 3 limit most $function$
;
alter function lookup_due_polls(text[],text[],timestamp with time zone,integer) owner to aftercall_lookup;
grant execute on function lookup_due_polls(text[],text[],timestamp with time zone,integer) to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_given_route_sources(wanted_provider text)
 RETURNS TABLE(tenant_id uuid, id uuid)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select s.tenant_id, s.id from sources s where s.provider = wanted_provider and s.on_given_routes and s.is_enabled order by s.created_at, s.id $function$
;
alter function lookup_given_route_sources(text) owner to aftercall_lookup;
grant execute on function lookup_given_route_sources(text) to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_idle_analysis_jobs(idle interval)
 RETURNS TABLE(tenant_id uuid, id uuid)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select j.tenant_id, j.id from analysis_jobs j where j.state = 'running' and j.worked_at < now() - idle $function$
;
alter function lookup_idle_analysis_jobs(interval) owner to aftercall_lookup;
grant execute on function lookup_idle_analysis_jobs(interval) to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_idle_resends(idle interval)
 RETURNS TABLE(tenant_id uuid, id uuid)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select r.tenant_id, r.id from resends r where r.state = 'running' and r.next_at < now() - idle $function$
;
alter function lookup_idle_resends(interval) owner to aftercall_lookup;
grant execute on function lookup_idle_resends(interval) to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_issuer_tenants(wanted text)
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select i.tenant_id from identity_providers i where i.issuer = wanted order by i.created_at, i.id limit 20 $function$
;
alter function lookup_issuer_tenants(text) owner to aftercall_lookup;
grant execute on function lookup_issuer_tenants(text) to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_lanes(lanes_max integer, full_endpoints uuid[], workers integer)
 RETURNS TABLE(tenant_id uuid, endpoint_id uuid, is_retry boolean, is_closed boolean, is_gated boolean, in_flight_max integer, wait_ms double precision)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
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
               or coalesce(h.closed_at > now() - interval '30 seconds', false) or e.in_flight_max < workers) as is_gated,
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
  $function$
;
alter function lookup_lanes(integer,uuid[],integer) owner to aftercall_lookup;
grant execute on function lookup_lanes(integer,uuid[],integer) to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_lanes_from_marks(lanes_max integer, full_endpoints uuid[], workers integer, lag_ms integer, mark_tenants uuid[], mark_endpoints uuid[], mark_retries boolean[], mark_dues timestamp with time zone[], mark_ids uuid[])
 RETURNS TABLE(tenant_id uuid, endpoint_id uuid, is_retry boolean, is_closed boolean, is_gated boolean, in_flight_max integer, wait_ms double precision, due_from text, id_from uuid, mark_due text, mark_id uuid)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
    with recursive lane as (
      select '00000000-0000-0000-0000-000000000000'::uuid as tenant_id, '00000000-0000-0000-0000-000000000000'::uuid as endpoint_id,
             false as is_retry, null::timestamptz as due_at, null::uuid as id, 1 as next_mark
      union all
      select n.* from lane l cross join lateral (
        (select d.tenant_id, d.endpoint_id, d.is_retry, d.due_at, d.id, l.next_mark from deliveries d
          where d.state = 'due' and not d.is_blocked and (d.tenant_id, d.endpoint_id, d.is_retry) > (l.tenant_id, l.endpoint_id, l.is_retry)
            and (d.tenant_id, d.endpoint_id, d.is_retry)
                < (mark_tenants[l.next_mark], mark_endpoints[l.next_mark], mark_retries[l.next_mark])
          order by d.tenant_id, d.endpoint_id, d.is_retry, d.due_at, d.id limit 1)
        union all
        (select mark_tenants[l.next_mark], mark_endpoints[l.next_mark], mark_retries[l.next_mark], f.due_at, f.id, l.next_mark + 1
           from (select) as one left join lateral (
             select d.due_at, d.id from deliveries d
              where d.tenant_id = mark_tenants[l.next_mark] and d.endpoint_id = mark_endpoints[l.next_mark]
                and d.is_retry = mark_retries[l.next_mark] and d.state = 'due' and not d.is_blocked
                and (d.due_at, d.id) >= (mark_dues[l.next_mark], mark_ids[l.next_mark])
              order by d.due_at, d.id limit 1) as f on true
          where l.next_mark < cardinality(mark_tenants))
        limit 1) as n),
    judged as materialized (
      select l.tenant_id, l.endpoint_id, l.is_retry, l.due_at, l.id, e.order_mode, e.disabled_at is not null as is_closed,
             (e.rate_limit is not null or e.order_mode <> 'none' or (h.breaker <> 'closed' and e.is_breaker_on)
               or coalesce(h.closed_at > now() - interval '30 seconds', false) or e.in_flight_max < workers) as is_gated,
             case when h.breaker = 'half_open' and e.is_breaker_on then 1 else e.in_flight_max end as in_flight_max,
             greatest(l.due_at, h.not_before, case when h.breaker = 'open' and e.is_breaker_on then h.open_until end,
               case when e.paused_at is not null then 'infinity'::timestamptz end,
               h.refilled_at + greatest(1 - h.tokens, 0) * e.rate_per_seconds / e.rate_limit * interval '1 second') as ready_at
        from lane l
        join lateral (select * from endpoints where tenant_id = l.tenant_id and id = l.endpoint_id limit 1) as e on true
        join lateral (select * from endpoint_health where tenant_id = l.tenant_id and endpoint_id = l.endpoint_id limit 1) as h on true
       where l.id is not null),
    ready as (
      select j.*, row_number() over (partition by j.tenant_id order by random()) as turn,
             now() - lag_ms * interval '1 millisecond' as marked_until
        from judged j
       where j.is_closed or (j.ready_at <= now() and j.endpoint_id <> all (full_endpoints)
         and (not j.is_gated or j.in_flight_max > (select count(*) from deliveries c
               where c.tenant_id = j.tenant_id and c.endpoint_id = j.endpoint_id and c.state = 'claimed'))))
    (select r.tenant_id, r.endpoint_id, r.is_retry, r.is_closed, r.is_gated, r.in_flight_max, 0, r.due_at::text, r.id,
            case when r.order_mode = 'none' then least(r.due_at, r.marked_until)::text end,
            case when r.due_at <= r.marked_until then r.id else '00000000-0000-0000-0000-000000000000' end
       from ready r order by r.turn, random() limit lanes_max)
    union all
    select null, null, null, null, null, null, extract(epoch from min(j.ready_at) - now())::float8 * 1000, null, null, null, null
      from judged j where not j.is_closed and j.ready_at > now() and j.ready_at < 'infinity'
  $function$
;
alter function lookup_lanes_from_marks(integer,uuid[],integer,integer,uuid[],uuid[],boolean[],timestamp with time zone[],uuid[]) owner to aftercall_lookup;
grant execute on function lookup_lanes_from_marks(integer,uuid[],integer,integer,uuid[],uuid[],boolean[],timestamp with time zone[],uuid[]) to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_latest_endpoints(endpoints_max integer)
 RETURNS TABLE(tenant_id uuid, endpoint_id uuid, cause text, oldest_seconds double precision)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
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
  $function$
;
alter function lookup_latest_endpoints(integer) owner to aftercall_lookup;
grant execute on function lookup_latest_endpoints(integer) to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_oldest_due_seconds()
 RETURNS double precision
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
    with recursive lane as (
      (select d.tenant_id, d.endpoint_id, d.is_retry, d.due_at from deliveries d where d.state = 'due' and not d.is_blocked
        order by d.tenant_id, d.endpoint_id, d.is_retry, d.due_at limit 1)
      union all
      (select n.* from lane l cross join lateral (
         select d.tenant_id, d.endpoint_id, d.is_retry, d.due_at from deliveries d
          where d.state = 'due' and not d.is_blocked and (d.tenant_id, d.endpoint_id, d.is_retry) > (l.tenant_id, l.endpoint_id, l.is_retry)
          order by d.tenant_id, d.endpoint_id, d.is_retry, d.due_at limit 1) as n))
    select coalesce(extract(epoch from now() - min(l.due_at)), 0) from lane l where l.due_at <= now()
  $function$
;
alter function lookup_oldest_due_seconds() owner to aftercall_lookup;
grant execute on function lookup_oldest_due_seconds() to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_orphaned_claims()
 RETURNS TABLE(tenant_id uuid, process integer)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
    with live as materialized (select live_processes() as process)
    select distinct d.tenant_id, d.claimed_by from deliveries d
     where d.state = 'claimed' and d.claimed_by <> all (array(select process from live))
       and d.claimed_by is distinct from nullif(current_setting('app.process', true), '')::int
  $function$
;
alter function lookup_orphaned_claims() owner to aftercall_lookup;
grant execute on function lookup_orphaned_claims() to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_ready_lanes(lanes_max integer, full_endpoints uuid[], workers integer)
 RETURNS TABLE(tenant_id uuid, endpoint_id uuid, is_retry boolean, is_closed boolean, is_gated boolean, in_flight_max integer, wait_ms double precision, due_from text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
    with recursive lane as (
      (select d.tenant_id, d.endpoint_id, d.is_retry, d.due_at from deliveries d where d.state = 'due' and not d.is_blocked
        order by d.tenant_id, d.endpoint_id, d.is_retry, d.due_at limit 1)
      union all
      (select n.* from lane l cross join lateral (
         select d.tenant_id, d.endpoint_id, d.is_retry, d.due_at from deliveries d
          where d.state = 'due' and not d.is_blocked and (d.tenant_id, d.endpoint_id, d.is_retry) > (l.tenant_id, l.endpoint_id, l.is_retry)
          order by d.tenant_id, d.endpoint_id, d.is_retry, d.due_at limit 1) as n)),
    judged as materialized (
      select l.tenant_id, l.endpoint_id, l.is_retry, l.due_at, e.disabled_at is not null as is_closed,
             (e.rate_limit is not null or e.order_mode <> 'none' or (h.breaker <> 'closed' and e.is_breaker_on)
               or coalesce(h.closed_at > now() - interval '30 seconds', false) or e.in_flight_max < workers) as is_gated,
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
    (select r.tenant_id, r.endpoint_id, r.is_retry, r.is_closed, r.is_gated, r.in_flight_max, 0, r.due_at::text from ready r order by r.turn, random() limit lanes_max)
    union all
    select null, null, null, null, null, null, extract(epoch from min(j.ready_at) - now())::float8 * 1000, null
      from judged j where not j.is_closed and j.ready_at > now() and j.ready_at < 'infinity'
  $function$
;
alter function lookup_ready_lanes(integer,uuid[],integer) owner to aftercall_lookup;
grant execute on function lookup_ready_lanes(integer,uuid[],integer) to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_source(wanted_slug text)
 RETURNS TABLE(tenant_id uuid, id uuid)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select s.tenant_id, s.id from sources s where s.slug = wanted_slug $function$
;
alter function lookup_source(text) owner to aftercall_lookup;
grant execute on function lookup_source(text) to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_tenant(wanted_slug text)
 RETURNS uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select id from tenants where slug = wanted_slug $function$
;
alter function lookup_tenant(text) owner to aftercall_lookup;
grant execute on function lookup_tenant(text) to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_tenants()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select id from tenants $function$
;
alter function lookup_tenants() owner to aftercall_lookup;
grant execute on function lookup_tenants() to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_tenants_with_blocked_deliveries()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select distinct d.tenant_id from deliveries d where d.state = 'due' and d.is_blocked $function$
;
alter function lookup_tenants_with_blocked_deliveries() owner to aftercall_lookup;
grant execute on function lookup_tenants_with_blocked_deliveries() to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_tenants_with_due_deliveries()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select distinct e.tenant_id from endpoints e where exists (select 1 from deliveries d
         where d.tenant_id = e.tenant_id and d.endpoint_id = e.id and d.state = 'due' and not d.is_blocked and d.due_at <= now()) $function$
;
alter function lookup_tenants_with_due_deliveries() owner to aftercall_lookup;
grant execute on function lookup_tenants_with_due_deliveries() to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_tenants_with_expired_keys()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select distinct k.tenant_id from idempotency_keys k where k.expires_at < now() $function$
;
alter function lookup_tenants_with_expired_keys() owner to aftercall_lookup;
grant execute on function lookup_tenants_with_expired_keys() to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_tenants_with_expired_leases()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select distinct d.tenant_id from deliveries d where d.state = 'claimed' and d.lease_until < now() $function$
;
alter function lookup_tenants_with_expired_leases() owner to aftercall_lookup;
grant execute on function lookup_tenants_with_expired_leases() to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_tenants_with_expired_messages()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select distinct e.tenant_id from message_expiries e where e.expires_at <= now() $function$
;
alter function lookup_tenants_with_expired_messages() owner to aftercall_lookup;
grant execute on function lookup_tenants_with_expired_messages() to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_tenants_with_idle_pipelines(before timestamp with time zone)
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select distinct p.tenant_id from pipelines p where p.state = 'running' and p.wake_at < before $function$
;
alter function lookup_tenants_with_idle_pipelines(timestamp with time zone) owner to aftercall_lookup;
grant execute on function lookup_tenants_with_idle_pipelines(timestamp with time zone) to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_tenants_with_operational_endpoints()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select distinct e.tenant_id from endpoints e where e.kind = 'operational' and e.disabled_at is null $function$
;
alter function lookup_tenants_with_operational_endpoints() owner to aftercall_lookup;
grant execute on function lookup_tenants_with_operational_endpoints() to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_tenants_with_overdue_events()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select distinct u.tenant_id from unmatched_events u join call_aliases a using (tenant_id, kind, value) $function$
;
alter function lookup_tenants_with_overdue_events() owner to aftercall_lookup;
grant execute on function lookup_tenants_with_overdue_events() to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_tenants_with_published_before(moment timestamp with time zone)
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select distinct p.tenant_id from published_messages p where p.created_at < moment $function$
;
alter function lookup_tenants_with_published_before(timestamp with time zone) owner to aftercall_lookup;
grant execute on function lookup_tenants_with_published_before(timestamp with time zone) to aftercall_app;

CREATE OR REPLACE FUNCTION public.lookup_user_tenants(wanted_external_id text)
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select u.tenant_id from users u where u.external_id = wanted_external_id $function$
;
alter function lookup_user_tenants(text) owner to aftercall_lookup;
grant execute on function lookup_user_tenants(text) to aftercall_app;

CREATE OR REPLACE FUNCTION public.note_disabled_time()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.disabled_at is not null then
    new.disabled_from := new.disabled_at;
    new.disabled_until := null;
  else
    new.disabled_until := now();
  end if;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.only_erase()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.body = '' and new.body_digest = sha256(old.body)
     and to_jsonb(new) - '{body,body_digest,headers,url}'::text[] = to_jsonb(old) - '{body,body_digest,headers,url}'::text[] then
    return new;
  end if;
  raise exception 'events is append-only: update refused' using errcode = '42501';
end $function$
;

CREATE OR REPLACE FUNCTION public.prepare_attempt_days(days_ahead integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
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
end $function$
;
grant execute on function prepare_attempt_days(integer) to aftercall_app;

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_table_name = 'events' and tg_op = 'UPDATE' and current_setting('app.erasing', true) = 'yes' then
    return null;
  end if;
  raise exception '% is append-only: % refused', tg_table_name, lower(tg_op) using errcode = '42501';
end $function$
;

CREATE OR REPLACE FUNCTION public.refuse_plan_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if old.status <> 'draft' and (new.definition is distinct from old.definition or new.name is distinct from old.name or new.status = 'draft') then
    raise exception 'a published plan never changes' using errcode = '42501';
  end if;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.start_endpoint_health()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

create table alarms (
  tenant_id uuid not null,
  type text not null,
  subject uuid not null,
  bad_since timestamp with time zone not null,
  told_at timestamp with time zone,
  good_since timestamp with time zone,
  constraint alarms_pkey PRIMARY KEY (tenant_id, type, subject),
  constraint alarms_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
alter table alarms enable row level security;
alter table alarms force row level security;
create policy tenant_wall on alarms for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on alarms to aftercall_app;

create table analysis_job_calls (
  tenant_id uuid not null,
  job_id uuid not null,
  call_id uuid not null,
  state text default 'pending'::text not null,
  run_id uuid,
  reason text,
  detail text,
  attempt integer default 0 not null,
  next_attempt_at timestamp with time zone,
  finished_at timestamp with time zone,
  constraint analysis_job_calls_pkey PRIMARY KEY (tenant_id, job_id, call_id),
  constraint analysis_job_calls_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'done'::text, 'identical'::text, 'skipped'::text, 'failed'::text]))),
  constraint analysis_job_calls_tenant_id_call_id_fkey FOREIGN KEY (tenant_id, call_id) REFERENCES calls(tenant_id, id),
  constraint analysis_job_calls_tenant_id_job_id_fkey FOREIGN KEY (tenant_id, job_id) REFERENCES analysis_jobs(tenant_id, id),
  constraint analysis_job_calls_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES analysis_runs(tenant_id, id)
) with (fillfactor=80);
CREATE INDEX analysis_job_calls_pending ON public.analysis_job_calls USING btree (tenant_id, job_id, call_id) WHERE (state = 'pending'::text);
alter table analysis_job_calls enable row level security;
alter table analysis_job_calls force row level security;
create policy tenant_wall on analysis_job_calls for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on analysis_job_calls to aftercall_app;

create table analysis_jobs (
  tenant_id uuid not null,
  id uuid not null,
  kind text not null,
  plan_id uuid not null,
  plan_version integer not null,
  sections text[] not null,
  filter jsonb not null,
  is_forced boolean default false not null,
  state text default 'running'::text not null,
  rate_per_minute integer not null,
  concurrency integer not null,
  estimate jsonb not null,
  run_count integer default 0 not null,
  worked_at timestamp with time zone default now() not null,
  actor text not null,
  created_at timestamp with time zone default now() not null,
  finished_at timestamp with time zone,
  constraint analysis_jobs_pkey PRIMARY KEY (tenant_id, id),
  constraint analysis_jobs_concurrency_check CHECK (((concurrency >= 1) AND (concurrency <= 16))),
  constraint analysis_jobs_kind_check CHECK ((kind = ANY (ARRAY['preview'::text, 'rerun'::text, 'bulk'::text, 'test'::text]))),
  constraint analysis_jobs_rate_per_minute_check CHECK (((rate_per_minute >= 1) AND (rate_per_minute <= 6000))),
  constraint analysis_jobs_state_check CHECK ((state = ANY (ARRAY['running'::text, 'paused'::text, 'canceled'::text, 'done'::text]))),
  constraint analysis_jobs_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
CREATE INDEX analysis_jobs_finished ON public.analysis_jobs USING btree (tenant_id, finished_at) WHERE (finished_at IS NOT NULL);
CREATE INDEX analysis_jobs_running ON public.analysis_jobs USING btree (worked_at) WHERE (state = 'running'::text);
alter table analysis_jobs enable row level security;
alter table analysis_jobs force row level security;
create policy lookup on analysis_jobs for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on analysis_jobs for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on analysis_jobs to aftercall_app;
grant select on analysis_jobs to aftercall_lookup;

create table analysis_plans (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null,
  name text not null,
  status text not null,
  definition jsonb not null,
  "position" integer default 0 not null,
  created_by text not null,
  created_at timestamp with time zone default now() not null,
  published_at timestamp with time zone,
  constraint analysis_plans_pkey PRIMARY KEY (tenant_id, id, version),
  constraint analysis_plans_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'published'::text, 'archived'::text]))),
  constraint analysis_plans_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
CREATE UNIQUE INDEX analysis_plans_draft ON public.analysis_plans USING btree (tenant_id, id) WHERE (status = 'draft'::text);
CREATE TRIGGER published_is_final BEFORE UPDATE ON public.analysis_plans FOR EACH ROW EXECUTE FUNCTION refuse_plan_change();
alter table analysis_plans enable row level security;
alter table analysis_plans force row level security;
create policy tenant_wall on analysis_plans for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on analysis_plans to aftercall_app;

create table analysis_promotion_calls (
  tenant_id uuid not null,
  promotion_id uuid not null,
  call_id uuid not null,
  run_before uuid,
  run_after uuid not null,
  constraint analysis_promotion_calls_pkey PRIMARY KEY (tenant_id, promotion_id, call_id),
  constraint analysis_promotion_calls_tenant_id_promotion_id_fkey FOREIGN KEY (tenant_id, promotion_id) REFERENCES analysis_promotions(tenant_id, id),
  constraint analysis_promotion_calls_tenant_id_run_after_fkey FOREIGN KEY (tenant_id, run_after) REFERENCES analysis_runs(tenant_id, id)
);
alter table analysis_promotion_calls enable row level security;
alter table analysis_promotion_calls force row level security;
create policy tenant_wall on analysis_promotion_calls for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select on analysis_promotion_calls to aftercall_app;

create table analysis_promotions (
  tenant_id uuid not null,
  id uuid not null,
  job_id uuid,
  actor text not null,
  created_at timestamp with time zone default now() not null,
  reverted_at timestamp with time zone,
  constraint analysis_promotions_pkey PRIMARY KEY (tenant_id, id),
  constraint analysis_promotions_tenant_id_job_id_fkey FOREIGN KEY (tenant_id, job_id) REFERENCES analysis_jobs(tenant_id, id)
);
alter table analysis_promotions enable row level security;
alter table analysis_promotions force row level security;
create policy tenant_wall on analysis_promotions for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on analysis_promotions to aftercall_app;

create table analysis_runs (
  tenant_id uuid not null,
  id uuid not null,
  call_id uuid not null,
  transcript_id uuid,
  plan_id uuid not null,
  plan_version integer not null,
  plan_name text not null,
  trigger text not null,
  job_id uuid,
  status text not null,
  is_current boolean default false not null,
  input_hash bytea not null,
  sections jsonb not null,
  summary jsonb,
  fields jsonb default '[]'::jsonb not null,
  trackers jsonb default '[]'::jsonb not null,
  evaluation jsonb,
  coaching jsonb,
  usage json,
  cost json default '[]'::json not null,
  created_at timestamp with time zone default now() not null,
  finished_at timestamp with time zone,
  topics jsonb,
  sentiment jsonb,
  constraint analysis_runs_pkey PRIMARY KEY (tenant_id, id),
  constraint analysis_runs_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'partial'::text, 'failed'::text, 'skipped'::text]))),
  constraint analysis_runs_trigger_check CHECK ((trigger = ANY (ARRAY['pipeline'::text, 'rerun'::text, 'bulk'::text, 'preview'::text, 'training'::text, 'provider'::text]))),
  constraint analysis_runs_tenant_id_call_id_fkey FOREIGN KEY (tenant_id, call_id) REFERENCES calls(tenant_id, id)
);
CREATE INDEX analysis_runs_call ON public.analysis_runs USING btree (tenant_id, call_id, created_at);
CREATE UNIQUE INDEX analysis_runs_current ON public.analysis_runs USING btree (tenant_id, call_id) WHERE is_current;
CREATE INDEX analysis_runs_previews ON public.analysis_runs USING btree (tenant_id, created_at) WHERE (trigger = 'preview'::text);
CREATE INDEX analysis_runs_provider ON public.analysis_runs USING btree (tenant_id, call_id, id) WHERE (trigger = 'provider'::text);
alter table analysis_runs enable row level security;
alter table analysis_runs force row level security;
create policy tenant_wall on analysis_runs for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on analysis_runs to aftercall_app;

create table api_keys (
  tenant_id uuid not null,
  id uuid not null,
  digest bytea not null,
  prefix text not null,
  name text not null,
  role text not null,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  scopes text[],
  replaced_by uuid,
  api_version text default '2026-11-21'::text not null,
  constraint api_keys_pkey PRIMARY KEY (tenant_id, id),
  constraint api_keys_digest_key UNIQUE (digest),
  constraint api_keys_digest_check CHECK ((length(digest) = 32)),
  constraint api_keys_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text, 'viewer'::text]))),
  constraint api_keys_scopes_check CHECK (((cardinality(scopes) >= 1) AND (cardinality(scopes) <= 50))),
  constraint api_keys_replaced_by_fkey FOREIGN KEY (tenant_id, replaced_by) REFERENCES api_keys(tenant_id, id),
  constraint api_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
alter table api_keys enable row level security;
alter table api_keys force row level security;
create policy lookup on api_keys for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on api_keys for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on api_keys to aftercall_app;
grant select on api_keys to aftercall_lookup;

create table assignments (
  tenant_id uuid not null,
  id uuid not null,
  title text not null,
  user_id uuid,
  status text default 'open'::text not null,
  completed_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  constraint assignments_pkey PRIMARY KEY (tenant_id, id),
  constraint assignments_status_check CHECK ((status = ANY (ARRAY['open'::text, 'completed'::text]))),
  constraint assignments_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint assignments_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users(tenant_id, id)
);
alter table assignments enable row level security;
alter table assignments force row level security;
create policy tenant_wall on assignments for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on assignments to aftercall_app;

create table attempt_bodies (
  tenant_id uuid not null,
  delivery_id uuid not null,
  number integer not null,
  started_at timestamp with time zone not null,
  response_headers jsonb,
  response_body bytea,
  request_headers json,
  constraint attempt_bodies_pkey PRIMARY KEY (tenant_id, delivery_id, number, started_at)
) partition by RANGE (started_at);
alter table attempt_bodies alter column response_body set storage external;
alter table attempt_bodies enable row level security;
alter table attempt_bodies force row level security;
create policy tenant_wall on attempt_bodies for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select on attempt_bodies to aftercall_app;

create table attempts (
  tenant_id uuid not null,
  delivery_id uuid not null,
  number integer not null,
  started_at timestamp with time zone not null,
  duration_ms integer not null,
  status integer not null,
  class text not null,
  error text,
  response_headers jsonb,
  response_body bytea,
  node text not null,
  url text,
  trigger text default 'schedule'::text not null,
  constraint attempts_pkey PRIMARY KEY (tenant_id, delivery_id, number, started_at),
  constraint attempts_trigger_check CHECK ((trigger = ANY (ARRAY['schedule'::text, 'manual'::text, 'resend'::text])))
) partition by RANGE (started_at);
alter table attempts enable row level security;
alter table attempts force row level security;
create policy tenant_wall on attempts for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select on attempts to aftercall_app;

create table audit_log (
  tenant_id uuid not null,
  id uuid not null,
  actor text not null,
  action text not null,
  subject text not null,
  detail jsonb default '{}'::jsonb not null,
  at timestamp with time zone default now() not null,
  before jsonb,
  after jsonb,
  address text,
  request_id text,
  constraint audit_log_pkey PRIMARY KEY (tenant_id, id),
  constraint audit_log_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
CREATE INDEX audit_log_subject ON public.audit_log USING btree (tenant_id, subject, id);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
alter table audit_log enable always trigger append_only;
alter table audit_log enable row level security;
alter table audit_log force row level security;
create policy tenant_wall on audit_log for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select on audit_log to aftercall_app;

create table call_aliases (
  tenant_id uuid not null,
  kind text not null,
  value text not null,
  call_id uuid not null,
  constraint call_aliases_pkey PRIMARY KEY (tenant_id, kind, value),
  constraint call_aliases_value_check CHECK (((length(value) >= 1) AND (length(value) <= 255))),
  constraint call_aliases_tenant_id_call_id_fkey FOREIGN KEY (tenant_id, call_id) REFERENCES calls(tenant_id, id) DEFERRABLE INITIALLY DEFERRED
) with (fillfactor=90);
CREATE INDEX call_aliases_call ON public.call_aliases USING btree (call_id, tenant_id);
alter table call_aliases enable row level security;
alter table call_aliases force row level security;
create policy lookup on call_aliases for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on call_aliases for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on call_aliases to aftercall_app;
grant select on call_aliases to aftercall_lookup;

create table call_moments (
  tenant_id uuid not null,
  event_id uuid not null,
  call_id uuid not null,
  moments json not null,
  masked json,
  is_masked_only boolean default false not null,
  created_at timestamp with time zone default now() not null,
  constraint call_moments_pkey PRIMARY KEY (tenant_id, event_id),
  constraint call_moments_tenant_id_call_id_fkey FOREIGN KEY (tenant_id, call_id) REFERENCES calls(tenant_id, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX call_moments_call ON public.call_moments USING btree (tenant_id, call_id);
alter table call_moments enable row level security;
alter table call_moments force row level security;
create policy tenant_wall on call_moments for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on call_moments to aftercall_app;

create table call_pulls (
  tenant_id uuid not null,
  call_id uuid not null,
  source_id uuid not null,
  ask_count integer default 0 not null,
  due_at timestamp with time zone not null,
  result text not null,
  constraint call_pulls_pkey PRIMARY KEY (tenant_id, call_id, source_id),
  constraint call_pulls_result_check CHECK ((result = ANY (ARRAY['found'::text, 'not_found'::text, 'unreadable'::text]))),
  constraint call_pulls_tenant_id_call_id_fkey FOREIGN KEY (tenant_id, call_id) REFERENCES calls(tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
  constraint call_pulls_tenant_id_source_id_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES sources(tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX call_pulls_source ON public.call_pulls USING btree (tenant_id, source_id);
alter table call_pulls enable row level security;
alter table call_pulls force row level security;
create policy tenant_wall on call_pulls for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on call_pulls to aftercall_app;

create table call_search (
  tenant_id uuid not null,
  call_id uuid not null,
  text text not null,
  lines json not null,
  updated_at timestamp with time zone default now() not null,
  constraint call_search_pkey PRIMARY KEY (tenant_id, call_id)
);
CREATE INDEX call_search_text ON public.call_search USING gin (text gin_trgm_ops);
alter table call_search enable row level security;
alter table call_search force row level security;
create policy lookup on call_search for select to aftercall_lookup using (true);
create policy tenant_wall on call_search for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on call_search to aftercall_app;
grant select on call_search to aftercall_lookup;

create table calls (
  tenant_id uuid not null,
  id uuid not null,
  provider text not null,
  provider_call_id text not null,
  status text not null,
  outcome text,
  direction text,
  from_number text,
  to_number text,
  started_at timestamp with time zone,
  answered_at timestamp with time zone,
  ended_at timestamp with time zone,
  duration_ms bigint,
  campaign_id uuid,
  user_id uuid,
  state json not null,
  announced text[] default '{}'::text[] not null,
  merged_into uuid,
  version integer default 1 not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  business_id text,
  erased_at timestamp with time zone,
  hold_reason text,
  constraint calls_pkey PRIMARY KEY (tenant_id, id),
  constraint calls_direction_check CHECK ((direction = ANY (ARRAY['inbound'::text, 'outbound'::text, 'web'::text]))),
  constraint calls_outcome_check CHECK ((outcome = ANY (ARRAY['completed'::text, 'no_answer'::text, 'busy'::text, 'failed'::text, 'voicemail'::text, 'canceled'::text, 'transferred'::text]))),
  constraint calls_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'ringing'::text, 'in_progress'::text, 'ended'::text, 'failed'::text, 'canceled'::text, 'timeout'::text]))),
  constraint calls_tenant_id_campaign_id_fkey FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns(tenant_id, id),
  constraint calls_tenant_id_merged_into_fkey FOREIGN KEY (tenant_id, merged_into) REFERENCES calls(tenant_id, id),
  constraint calls_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users(tenant_id, id)
) with (fillfactor=70, toast_tuple_target=8160);
alter table calls alter column state set storage external;
CREATE INDEX calls_business ON public.calls USING btree (tenant_id, business_id, id) WHERE (business_id IS NOT NULL);
CREATE INDEX calls_campaign ON public.calls USING btree (tenant_id, campaign_id) WHERE (campaign_id IS NOT NULL);
CREATE INDEX calls_erased ON public.calls USING btree (tenant_id, id) WHERE (erased_at IS NOT NULL);
CREATE INDEX calls_merged ON public.calls USING btree (merged_into, tenant_id) WHERE (merged_into IS NOT NULL);
CREATE INDEX calls_open ON public.calls USING btree (tenant_id, id) WHERE ((announced = '{}'::text[]) AND (merged_into IS NULL));
alter table calls enable row level security;
alter table calls force row level security;
create policy tenant_wall on calls for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on calls to aftercall_app;

create table campaign_progress (
  tenant_id uuid not null,
  campaign_id uuid not null,
  total_count integer default 0 not null,
  queued_count integer default 0 not null,
  ringing_count integer default 0 not null,
  in_progress_count integer default 0 not null,
  ended_count integer default 0 not null,
  failed_count integer default 0 not null,
  canceled_count integer default 0 not null,
  timeout_count integer default 0 not null,
  completed_outcome_count integer default 0 not null,
  no_answer_outcome_count integer default 0 not null,
  busy_outcome_count integer default 0 not null,
  failed_outcome_count integer default 0 not null,
  voicemail_outcome_count integer default 0 not null,
  canceled_outcome_count integer default 0 not null,
  transferred_outcome_count integer default 0 not null,
  constraint campaign_progress_pkey PRIMARY KEY (tenant_id, campaign_id),
  constraint campaign_progress_tenant_id_campaign_id_fkey FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns(tenant_id, id)
) with (fillfactor=50);
alter table campaign_progress enable row level security;
alter table campaign_progress force row level security;
create policy tenant_wall on campaign_progress for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on campaign_progress to aftercall_app;

create table campaigns (
  tenant_id uuid not null,
  id uuid not null,
  external_id text,
  name text not null,
  planned_count integer,
  status text default 'running'::text not null,
  completed_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  business_id text,
  deliveries_paused_at timestamp with time zone,
  is_completed_quietly boolean default false not null,
  constraint campaigns_pkey PRIMARY KEY (tenant_id, id),
  constraint campaigns_tenant_id_external_id_key UNIQUE (tenant_id, external_id),
  constraint campaigns_business_id_check CHECK (((length(business_id) >= 1) AND (length(business_id) <= 1000))),
  constraint campaigns_external_id_check CHECK (((length(external_id) >= 1) AND (length(external_id) <= 255))),
  constraint campaigns_planned_count_check CHECK ((planned_count >= 0)),
  constraint campaigns_status_check CHECK ((status = ANY (ARRAY['running'::text, 'completed'::text]))),
  constraint campaigns_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
CREATE INDEX campaigns_business ON public.campaigns USING btree (tenant_id, business_id, id) WHERE (business_id IS NOT NULL);
CREATE INDEX campaigns_paused ON public.campaigns USING btree (tenant_id) WHERE (deliveries_paused_at IS NOT NULL);
alter table campaigns enable row level security;
alter table campaigns force row level security;
create policy tenant_wall on campaigns for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on campaigns to aftercall_app;

create table changes (
  tenant_id uuid not null,
  xid xid8 default pg_current_xact_id() not null,
  seq bigint generated always as identity not null,
  kind text not null,
  call_id uuid,
  campaign_id uuid,
  payload json not null,
  created_at timestamp with time zone default now() not null,
  constraint changes_pkey PRIMARY KEY (tenant_id, xid, seq),
  constraint changes_kind_check CHECK ((kind = ANY (ARRAY['call'::text, 'transcription'::text, 'campaign'::text, 'delivery'::text, 'endpoint'::text]))) NOT VALID
);
alter table changes enable row level security;
alter table changes force row level security;
create policy tenant_wall on changes for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select on changes to aftercall_app;

create table deliveries (
  tenant_id uuid not null,
  id uuid not null,
  message_id uuid not null,
  endpoint_id uuid not null,
  cause text default 'event'::text not null,
  state text not null,
  due_at timestamp with time zone default now() not null,
  attempt_count integer default 0 not null,
  manual_count integer default 0 not null,
  resume_at timestamp with time zone,
  claim_id uuid,
  lease_until timestamp with time zone,
  reason text,
  created_at timestamp with time zone default now() not null,
  finished_at timestamp with time zone,
  order_key text,
  sequence integer,
  is_blocked boolean default false not null,
  lost_count smallint default 0 not null,
  is_retry boolean default ((attempt_count > 0) OR (cause <> 'event'::text)) not null,
  replaced_by uuid,
  is_forced boolean default false not null,
  manual_pending smallint default 0 not null,
  claimed_by integer default (NULLIF(current_setting('app.process'::text, true), ''::text))::integer,
  trial_count smallint default 0 not null,
  constraint deliveries_pkey PRIMARY KEY (tenant_id, id),
  constraint deliveries_tenant_id_message_id_endpoint_id_cause_key UNIQUE (tenant_id, message_id, endpoint_id, cause),
  constraint deliveries_reason_check CHECK ((reason = ANY (ARRAY['exhausted'::text, 'blocked'::text, 'gone'::text, 'endpoint_disabled'::text, 'endpoint_deleted'::text, 'expired'::text, 'cancelled'::text, 'rejected'::text, 'too_large'::text, 'render_failed'::text]))),
  constraint deliveries_state_check CHECK ((state = ANY (ARRAY['due'::text, 'claimed'::text, 'delivered'::text, 'undelivered'::text]))),
  constraint deliveries_tenant_id_endpoint_id_fkey FOREIGN KEY (tenant_id, endpoint_id) REFERENCES endpoints(tenant_id, id),
  constraint deliveries_tenant_id_message_id_fkey FOREIGN KEY (tenant_id, message_id) REFERENCES messages(tenant_id, id)
) with (fillfactor=70, autovacuum_vacuum_scale_factor=0.01);
CREATE INDEX deliveries_blocked ON public.deliveries USING btree (tenant_id, endpoint_id, order_key, sequence) WHERE ((state = 'due'::text) AND is_blocked);
CREATE INDEX deliveries_lane ON public.deliveries USING btree (tenant_id, endpoint_id, is_retry, due_at, id) WHERE ((state = 'due'::text) AND (NOT is_blocked));
CREATE INDEX deliveries_leased ON public.deliveries USING btree (tenant_id, endpoint_id, lease_until) WHERE (state = 'claimed'::text);
CREATE INDEX deliveries_line ON public.deliveries USING btree (tenant_id, endpoint_id, order_key, sequence) WHERE ((order_key IS NOT NULL) AND (state <> 'delivered'::text));
CREATE INDEX deliveries_resent ON public.deliveries USING btree (tenant_id, cause) WHERE (cause <> 'event'::text);
CREATE INDEX deliveries_undelivered ON public.deliveries USING btree (tenant_id, id) INCLUDE (endpoint_id, reason) WHERE ((state = 'undelivered'::text) AND (replaced_by IS NULL));
CREATE TRIGGER hold_paused_delivery BEFORE UPDATE ON public.deliveries FOR EACH ROW WHEN (((old.state = 'claimed'::text) AND (new.state = 'due'::text) AND (new.cause = 'event'::text))) EXECUTE FUNCTION hold_paused_delivery();
alter table deliveries enable row level security;
alter table deliveries force row level security;
create policy lookup on deliveries for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on deliveries for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on deliveries to aftercall_app;
grant select on deliveries to aftercall_lookup;

create table delivery_follows (
  tenant_id uuid not null,
  since timestamp with time zone,
  until timestamp with time zone not null,
  constraint delivery_follows_pkey PRIMARY KEY (tenant_id),
  constraint delivery_follows_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
alter table delivery_follows enable row level security;
alter table delivery_follows force row level security;
create policy tenant_wall on delivery_follows for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on delivery_follows to aftercall_app;

create table delivery_workers (
  id uuid not null,
  node text not null,
  seen_at timestamp with time zone default now() not null,
  process integer default (NULLIF(current_setting('app.process'::text, true), ''::text))::integer,
  constraint delivery_workers_pkey PRIMARY KEY (id)
);
alter table delivery_workers enable row level security;
alter table delivery_workers force row level security;
create policy lookup on delivery_workers for all to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name)) with check ((CURRENT_USER = 'aftercall_lookup'::name));
grant delete, insert, select, update on delivery_workers to aftercall_lookup;

create table endpoint_health (
  tenant_id uuid not null,
  endpoint_id uuid not null,
  tokens double precision,
  refilled_at timestamp with time zone default now() not null,
  not_before timestamp with time zone,
  breaker text default 'closed'::text not null,
  opened_at timestamp with time zone,
  open_until timestamp with time zone,
  open_count integer default 0 not null,
  closed_at timestamp with time zone,
  window_slice bigint default 0 not null,
  window_attempts integer[] default '{}'::integer[] not null,
  window_failures integer[] default '{}'::integer[] not null,
  watched_from timestamp with time zone default now() not null,
  first_failed_at timestamp with time zone,
  last_failed_at timestamp with time zone,
  failed_count integer default 0 not null,
  last_succeeded_at timestamp with time zone,
  warned_percent smallint default 0 not null,
  is_clean boolean default ((breaker = 'closed'::text) AND (failed_count = 0)) not null,
  constraint endpoint_health_pkey PRIMARY KEY (tenant_id, endpoint_id),
  constraint endpoint_health_breaker_check CHECK ((breaker = ANY (ARRAY['closed'::text, 'open'::text, 'half_open'::text]))),
  constraint endpoint_health_tenant_id_endpoint_id_fkey FOREIGN KEY (tenant_id, endpoint_id) REFERENCES endpoints(tenant_id, id) ON DELETE CASCADE
) with (fillfactor=50, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=1000);
alter table endpoint_health enable row level security;
alter table endpoint_health force row level security;
create policy lookup on endpoint_health for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on endpoint_health for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on endpoint_health to aftercall_app;
grant select on endpoint_health to aftercall_lookup;

create table endpoint_secrets (
  tenant_id uuid not null,
  id uuid not null,
  endpoint_id uuid not null,
  sealed bytea not null,
  expires_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  constraint endpoint_secrets_pkey PRIMARY KEY (tenant_id, id),
  constraint endpoint_secrets_tenant_id_endpoint_id_fkey FOREIGN KEY (tenant_id, endpoint_id) REFERENCES endpoints(tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX endpoint_secrets_endpoint ON public.endpoint_secrets USING btree (tenant_id, endpoint_id);
alter table endpoint_secrets enable row level security;
alter table endpoint_secrets force row level security;
create policy tenant_wall on endpoint_secrets for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on endpoint_secrets to aftercall_app;

create table endpoints (
  tenant_id uuid not null,
  id uuid not null,
  url text not null,
  description text default ''::text not null,
  types text[] not null,
  direction text default 'any'::text not null,
  format text default 'standard'::text not null,
  schedule_ms bigint[] not null,
  timeout_ms integer default 15000 not null,
  in_flight_max integer default 10 not null,
  disabled_at timestamp with time zone,
  disabled_reason text,
  deleted_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  uid text,
  metadata jsonb default '{}'::jsonb not null,
  kind text default 'ordinary'::text not null,
  campaign_ids uuid[],
  channels text[],
  filter jsonb,
  payload text default 'full'::text not null,
  signature jsonb default '{"profile": "standard"}'::jsonb not null,
  sealed_signature_secret bytea,
  sealed_headers bytea,
  sealed_auth bytea,
  status_rules jsonb default '[]'::jsonb not null,
  rate_limit integer,
  rate_per_seconds integer,
  rate_burst integer,
  order_mode text default 'none'::text not null,
  strict_delay_max_ms bigint default 600000 not null,
  paused_at timestamp with time zone,
  is_breaker_on boolean default true not null,
  is_auto_disabled_on boolean default true not null,
  body_form text default 
CASE payload
    WHEN 'thin'::text THEN (format || '.thin'::text)
    ELSE format
END not null,
  disabled_from timestamp with time zone,
  disabled_until timestamp with time zone,
  resend_on_late boolean default false not null,
  api_version text default '2026-11-21'::text not null,
  mapping json,
  fallback_url text,
  type_schedules_ms json default '{}'::json not null,
  cloudevents_mode text default 'structured'::text not null,
  is_handshake_on boolean default false not null,
  constraint endpoints_pkey PRIMARY KEY (tenant_id, id),
  constraint endpoints_campaign_ids_check CHECK ((cardinality(campaign_ids) > 0)),
  constraint endpoints_channels_check CHECK ((cardinality(channels) > 0)),
  constraint endpoints_cloudevents_mode_check CHECK ((cloudevents_mode = ANY (ARRAY['structured'::text, 'binary'::text]))),
  constraint endpoints_direction_check CHECK ((direction = ANY (ARRAY['any'::text, 'inbound'::text, 'outbound'::text, 'generic'::text]))),
  constraint endpoints_disabled_reason_check CHECK ((disabled_reason = ANY (ARRAY['user'::text, 'gone'::text, 'failing'::text]))),
  constraint endpoints_format_check CHECK ((format = ANY (ARRAY['standard'::text, 'flat'::text, 'cloudevents'::text]))),
  constraint endpoints_in_flight_max_check CHECK (((in_flight_max >= 1) AND (in_flight_max <= 500))),
  constraint endpoints_kind_check CHECK ((kind = ANY (ARRAY['ordinary'::text, 'operational'::text]))),
  constraint endpoints_order_mode_check CHECK ((order_mode = ANY (ARRAY['none'::text, 'skip'::text, 'strict'::text]))),
  constraint endpoints_payload_check CHECK ((payload = ANY (ARRAY['full'::text, 'thin'::text]))),
  constraint endpoints_rate_burst_check CHECK ((rate_burst > 0)),
  constraint endpoints_rate_limit_check CHECK ((rate_limit > 0)),
  constraint endpoints_rate_per_seconds_check CHECK ((rate_per_seconds > 0)),
  constraint endpoints_strict_delay_max_ms_check CHECK (((strict_delay_max_ms >= 1000) AND (strict_delay_max_ms <= 86400000))),
  constraint endpoints_timeout_ms_check CHECK (((timeout_ms >= 1000) AND (timeout_ms <= 30000))),
  constraint endpoints_uid_check CHECK (((length(uid) >= 1) AND (length(uid) <= 255))),
  constraint endpoints_url_check CHECK (((length(url) >= 8) AND (length(url) <= 2048))),
  constraint rate_is_whole CHECK ((num_nulls(rate_limit, rate_per_seconds, rate_burst) = ANY (ARRAY[0, 3]))),
  constraint endpoints_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
CREATE UNIQUE INDEX endpoints_uid ON public.endpoints USING btree (tenant_id, uid) WHERE (deleted_at IS NULL);
CREATE TRIGGER disabled_time BEFORE UPDATE OF disabled_at ON public.endpoints FOR EACH ROW WHEN (((old.disabled_at IS NULL) <> (new.disabled_at IS NULL))) EXECUTE FUNCTION note_disabled_time();
CREATE TRIGGER endpoint_health_begins AFTER INSERT ON public.endpoints FOR EACH ROW EXECUTE FUNCTION start_endpoint_health();
CREATE TRIGGER endpoint_health_begins_anew AFTER UPDATE OF disabled_at ON public.endpoints FOR EACH ROW WHEN (((old.disabled_at IS NOT NULL) AND (new.disabled_at IS NULL))) EXECUTE FUNCTION start_endpoint_health();
alter table endpoints enable row level security;
alter table endpoints force row level security;
create policy lookup on endpoints for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on endpoints for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on endpoints to aftercall_app;
grant select on endpoints to aftercall_lookup;

create table engine_answers (
  tenant_id uuid not null,
  call_id uuid not null,
  step text not null,
  input_hash bytea not null,
  answer jsonb not null,
  engine json not null,
  usage json,
  cost json default '[]'::json not null,
  created_at timestamp with time zone default now() not null,
  constraint engine_answers_pkey PRIMARY KEY (tenant_id, call_id, step, input_hash),
  constraint engine_answers_tenant_id_call_id_fkey FOREIGN KEY (tenant_id, call_id) REFERENCES calls(tenant_id, id)
);
CREATE INDEX engine_answers_at ON public.engine_answers USING btree (tenant_id, created_at);
alter table engine_answers enable row level security;
alter table engine_answers force row level security;
create policy tenant_wall on engine_answers for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select on engine_answers to aftercall_app;

create table engine_costs (
  tenant_id uuid not null,
  id uuid not null,
  call_id uuid,
  run_id uuid,
  step text not null,
  provider text not null,
  model text,
  unit text not null,
  quantity numeric not null,
  amount numeric,
  currency text,
  at timestamp with time zone default now() not null,
  price_version text,
  constraint engine_costs_pkey PRIMARY KEY (tenant_id, id),
  constraint engine_costs_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
CREATE INDEX engine_costs_at ON public.engine_costs USING btree (tenant_id, at);
CREATE INDEX engine_costs_call ON public.engine_costs USING btree (call_id, tenant_id) WHERE (call_id IS NOT NULL);
alter table engine_costs enable row level security;
alter table engine_costs force row level security;
create policy tenant_wall on engine_costs for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select on engine_costs to aftercall_app;

create table engines (
  tenant_id uuid not null,
  kind text not null,
  vendor text not null,
  base_url text not null,
  model text not null,
  sealed_api_key bytea,
  settings jsonb default '{}'::jsonb not null,
  budget_amount numeric,
  budget_currency text,
  updated_at timestamp with time zone default now() not null,
  constraint engines_pkey PRIMARY KEY (tenant_id, kind),
  constraint engines_kind_check CHECK ((kind = ANY (ARRAY['language'::text, 'speech'::text]))),
  constraint engines_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
alter table engines enable row level security;
alter table engines force row level security;
create policy tenant_wall on engines for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on engines to aftercall_app;

create table erasures (
  tenant_id uuid not null,
  id uuid not null,
  call_id uuid not null,
  cause text not null,
  actor text not null,
  reason text,
  counts jsonb not null,
  blob_keys text[] default '{}'::text[] not null,
  erased_at timestamp with time zone default now() not null,
  finished_at timestamp with time zone,
  constraint erasures_pkey PRIMARY KEY (tenant_id, id),
  constraint erasures_cause_check CHECK ((cause = ANY (ARRAY['request'::text, 'retention'::text, 'late_data'::text]))),
  constraint erasures_tenant_id_call_id_fkey FOREIGN KEY (tenant_id, call_id) REFERENCES calls(tenant_id, id),
  constraint erasures_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
CREATE INDEX erasures_unfinished ON public.erasures USING btree (erased_at) WHERE (finished_at IS NULL);
alter table erasures enable row level security;
alter table erasures force row level security;
create policy tenant_wall on erasures for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on erasures to aftercall_app;

create table evaluation_overrides (
  tenant_id uuid not null,
  id uuid not null,
  seq bigint generated always as identity not null,
  run_id uuid not null,
  criterion_id text not null,
  verdict text not null,
  points numeric,
  reason text not null,
  comment text not null,
  actor text not null,
  effective jsonb not null,
  created_at timestamp with time zone default now() not null,
  constraint evaluation_overrides_pkey PRIMARY KEY (tenant_id, id),
  constraint evaluation_overrides_reason_check CHECK ((reason = ANY (ARRAY['incorrect_score'::text, 'incorrect_evidence'::text, 'missing_evidence'::text, 'other'::text]))),
  constraint evaluation_overrides_verdict_check CHECK ((verdict = ANY (ARRAY['met'::text, 'partial'::text, 'not_met'::text, 'unknown'::text, 'not_applicable'::text]))),
  constraint evaluation_overrides_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES analysis_runs(tenant_id, id)
);
CREATE INDEX evaluation_overrides_run ON public.evaluation_overrides USING btree (tenant_id, run_id, seq);
alter table evaluation_overrides enable row level security;
alter table evaluation_overrides force row level security;
create policy tenant_wall on evaluation_overrides for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select on evaluation_overrides to aftercall_app;

create table evaluation_reviews (
  tenant_id uuid not null,
  id uuid not null,
  seq bigint generated always as identity not null,
  run_id uuid not null,
  state text not null,
  comment text not null,
  actor text not null,
  created_at timestamp with time zone default now() not null,
  constraint evaluation_reviews_pkey PRIMARY KEY (tenant_id, id),
  constraint evaluation_reviews_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'submitted'::text, 'acknowledged'::text, 'disputed'::text, 'resolved'::text, 'voided'::text]))),
  constraint evaluation_reviews_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES analysis_runs(tenant_id, id)
);
CREATE INDEX evaluation_reviews_run ON public.evaluation_reviews USING btree (tenant_id, run_id, seq);
alter table evaluation_reviews enable row level security;
alter table evaluation_reviews force row level security;
create policy tenant_wall on evaluation_reviews for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select on evaluation_reviews to aftercall_app;

create table event_applications (
  tenant_id uuid not null,
  id uuid not null,
  event_id uuid not null,
  call_id uuid,
  cause text not null,
  status_after text,
  outcome_after text,
  problem text,
  at timestamp with time zone default now() not null,
  constraint event_applications_pkey PRIMARY KEY (tenant_id, id),
  constraint event_applications_cause_check CHECK ((cause = ANY (ARRAY['matched'::text, 'replay'::text, 'retry'::text]))),
  constraint event_applications_tenant_id_call_id_fkey FOREIGN KEY (tenant_id, call_id) REFERENCES calls(tenant_id, id),
  constraint event_applications_tenant_id_event_id_fkey FOREIGN KEY (tenant_id, event_id) REFERENCES events(tenant_id, id)
);
CREATE INDEX event_applications_call ON public.event_applications USING btree (tenant_id, call_id) WHERE (call_id IS NOT NULL);
CREATE INDEX event_applications_event ON public.event_applications USING btree (tenant_id, event_id);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.event_applications FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
alter table event_applications enable always trigger append_only;
alter table event_applications enable row level security;
alter table event_applications force row level security;
create policy tenant_wall on event_applications for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select on event_applications to aftercall_app;

create table event_keys (
  tenant_id uuid not null,
  source_id uuid not null,
  key text not null,
  event_id uuid not null,
  body_digest bytea not null,
  seen_count integer default 1 not null,
  differing_count integer default 0 not null,
  needs_retry boolean default false not null,
  first_seen_at timestamp with time zone default now() not null,
  last_seen_at timestamp with time zone default now() not null,
  constraint event_keys_pkey PRIMARY KEY (tenant_id, source_id, key),
  constraint event_keys_key_check CHECK (((length(key) >= 1) AND (length(key) <= 255)))
) with (fillfactor=80);
CREATE INDEX event_keys_first_seen ON public.event_keys USING brin (first_seen_at);
alter table event_keys enable row level security;
alter table event_keys force row level security;
create policy tenant_wall on event_keys for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on event_keys to aftercall_app;

create table event_types (
  tenant_id uuid not null,
  name text not null,
  title text default ''::text not null,
  description text default ''::text not null,
  schema json,
  examples json default '{}'::json not null,
  archived_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint event_types_pkey PRIMARY KEY (tenant_id, name),
  constraint event_types_name_check CHECK (((length(name) >= 3) AND (length(name) <= 100))),
  constraint event_types_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
alter table event_types enable row level security;
alter table event_types force row level security;
create policy tenant_wall on event_types for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on event_types to aftercall_app;

create table events (
  tenant_id uuid not null,
  id uuid not null,
  seq bigint generated always as identity not null,
  xid xid8 default pg_current_xact_id() not null,
  source_id uuid not null,
  provider text not null,
  type text not null,
  key text not null,
  part integer default 0 not null,
  occurred_at timestamp with time zone,
  received_at timestamp with time zone not null,
  route text not null,
  url text not null,
  content_type text not null,
  headers json not null,
  body bytea not null,
  verification text not null,
  effect text not null,
  call_id uuid,
  status_after text,
  outcome_after text,
  problem text,
  body_digest bytea,
  constraint events_pkey PRIMARY KEY (tenant_id, id),
  constraint events_effect_check CHECK ((effect = ANY (ARRAY['applied'::text, 'recorded'::text, 'unmatched'::text]))),
  constraint events_route_check CHECK ((route = ANY (ARRAY['given'::text, 'own'::text]))),
  constraint events_tenant_id_source_id_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES sources(tenant_id, id)
) with (toast_tuple_target=8160);
alter table events alter column body set storage external;
CREATE INDEX events_call ON public.events USING btree (tenant_id, call_id) WHERE (call_id IS NOT NULL);
CREATE INDEX events_cursor ON public.events USING btree (tenant_id, xid, seq);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
alter table events enable always trigger append_only;
CREATE TRIGGER only_erase BEFORE UPDATE ON public.events FOR EACH ROW EXECUTE FUNCTION only_erase();
alter table events enable always trigger only_erase;
alter table events enable row level security;
alter table events force row level security;
create policy tenant_wall on events for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select on events to aftercall_app;

create table idempotency_keys (
  tenant_id uuid not null,
  actor text not null,
  key text not null,
  fingerprint bytea not null,
  holder_id uuid not null,
  locked_until timestamp with time zone not null,
  effected_at timestamp with time zone,
  sealed_answer bytea,
  expires_at timestamp with time zone not null,
  created_at timestamp with time zone default now() not null,
  constraint idempotency_keys_pkey PRIMARY KEY (tenant_id, actor, key),
  constraint idempotency_keys_fingerprint_check CHECK ((length(fingerprint) = 32)),
  constraint idempotency_keys_key_check CHECK (((length(key) >= 1) AND (length(key) <= 255))),
  constraint idempotency_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
CREATE INDEX idempotency_keys_expired ON public.idempotency_keys USING btree (expires_at);
alter table idempotency_keys enable row level security;
alter table idempotency_keys force row level security;
create policy lookup on idempotency_keys for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on idempotency_keys for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on idempotency_keys to aftercall_app;
grant select on idempotency_keys to aftercall_lookup;

create table identity_providers (
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  issuer text not null,
  audience text,
  jwks_url text not null,
  created_at timestamp with time zone default now() not null,
  constraint identity_providers_pkey PRIMARY KEY (tenant_id, id),
  constraint identity_providers_tenant_id_issuer_key UNIQUE (tenant_id, issuer),
  constraint identity_providers_audience_check CHECK (((length(audience) >= 1) AND (length(audience) <= 500))),
  constraint identity_providers_issuer_check CHECK (((length(issuer) >= 1) AND (length(issuer) <= 500))),
  constraint identity_providers_jwks_url_check CHECK (((length(jwks_url) >= 1) AND (length(jwks_url) <= 2048))),
  constraint identity_providers_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
CREATE INDEX identity_providers_issuer ON public.identity_providers USING btree (issuer);
alter table identity_providers enable row level security;
alter table identity_providers force row level security;
create policy lookup on identity_providers for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on identity_providers for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select on identity_providers to aftercall_app;
grant select on identity_providers to aftercall_lookup;

create table import_failures (
  tenant_id uuid not null,
  import_id uuid not null,
  line bigint not null,
  reason text not null,
  constraint import_failures_pkey PRIMARY KEY (tenant_id, import_id, line),
  constraint import_failures_line_check CHECK ((line > 0)),
  constraint import_failures_tenant_id_import_id_fkey FOREIGN KEY (tenant_id, import_id) REFERENCES imports(tenant_id, id) ON DELETE CASCADE
);
alter table import_failures enable row level security;
alter table import_failures force row level security;
create policy tenant_wall on import_failures for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select on import_failures to aftercall_app;

create table imports (
  tenant_id uuid not null,
  id uuid not null,
  source_id uuid not null,
  is_delivered boolean not null,
  state text default 'running'::text not null,
  line_count bigint default 0 not null,
  applied_count bigint default 0 not null,
  repeated_count bigint default 0 not null,
  skipped_count bigint default 0 not null,
  failed_count bigint default 0 not null,
  byte_count bigint default 0 not null,
  actor text not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  finished_at timestamp with time zone,
  holder_id uuid,
  claimed_by integer default (NULLIF(current_setting('app.process'::text, true), ''::text))::integer,
  constraint imports_pkey PRIMARY KEY (tenant_id, id),
  constraint imports_state_check CHECK ((state = ANY (ARRAY['running'::text, 'done'::text, 'interrupted'::text, 'canceled'::text]))),
  constraint imports_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint imports_tenant_id_source_id_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES sources(tenant_id, id) ON DELETE CASCADE
);
alter table imports enable row level security;
alter table imports force row level security;
create policy tenant_wall on imports for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on imports to aftercall_app;

create table message_bodies (
  tenant_id uuid not null,
  message_id uuid not null,
  format text not null,
  body bytea not null,
  constraint message_bodies_pkey PRIMARY KEY (tenant_id, message_id, format),
  constraint message_bodies_tenant_id_message_id_fkey FOREIGN KEY (tenant_id, message_id) REFERENCES messages(tenant_id, id)
) with (toast_tuple_target=8160);
alter table message_bodies alter column body set storage external;
alter table message_bodies enable row level security;
alter table message_bodies force row level security;
create policy tenant_wall on message_bodies for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select on message_bodies to aftercall_app;

create table message_expiries (
  tenant_id uuid not null,
  message_id uuid not null,
  expires_at timestamp with time zone not null,
  constraint message_expiries_pkey PRIMARY KEY (tenant_id, message_id),
  constraint message_expiries_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint message_expiries_tenant_id_message_id_fkey FOREIGN KEY (tenant_id, message_id) REFERENCES messages(tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX message_expiries_due ON public.message_expiries USING btree (expires_at);
alter table message_expiries enable row level security;
alter table message_expiries force row level security;
create policy lookup on message_expiries for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on message_expiries for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select on message_expiries to aftercall_app;
grant select on message_expiries to aftercall_lookup;

create table messages (
  tenant_id uuid not null,
  id uuid not null,
  type text not null,
  call_id uuid,
  campaign_id uuid,
  occurred_at timestamp with time zone not null,
  received_at timestamp with time zone not null,
  unrouted_reason text,
  created_at timestamp with time zone default now() not null,
  order_key text,
  sequence integer,
  external_id text,
  channels text[] default '{}'::text[] not null,
  expired_at timestamp with time zone,
  resent_at timestamp with time zone,
  traceparent text,
  deliver_at timestamp with time zone,
  expires_at timestamp with time zone,
  constraint messages_pkey PRIMARY KEY (tenant_id, id),
  constraint messages_external_id_check CHECK (((length(external_id) >= 1) AND (length(external_id) <= 255))),
  constraint messages_order_key_check CHECK (((length(order_key) >= 1) AND (length(order_key) <= 255))),
  constraint messages_unrouted_reason_check CHECK ((unrouted_reason = ANY (ARRAY['no_endpoint'::text, 'filtered'::text]))),
  constraint messages_tenant_id_campaign_id_fkey FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns(tenant_id, id)
);
CREATE INDEX messages_call ON public.messages USING btree (call_id, tenant_id, sequence) WHERE (call_id IS NOT NULL);
CREATE INDEX messages_expired ON public.messages USING btree (tenant_id, created_at) WHERE (expired_at IS NOT NULL);
CREATE INDEX messages_kept ON public.messages USING btree (tenant_id, created_at, id) WHERE (expired_at IS NULL);
CREATE INDEX messages_order_key ON public.messages USING btree (tenant_id, order_key, sequence) WHERE (order_key IS NOT NULL);
CREATE INDEX messages_unrouted ON public.messages USING btree (tenant_id, id) WHERE ((unrouted_reason IS NOT NULL) AND (resent_at IS NULL));
alter table messages enable row level security;
alter table messages force row level security;
create policy tenant_wall on messages for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on messages to aftercall_app;

create table metric_sets (
  tenant_id uuid not null,
  call_id uuid not null,
  basis text not null,
  definitions_version text not null,
  params json not null,
  "values" json not null,
  created_at timestamp with time zone default now() not null,
  constraint metric_sets_pkey PRIMARY KEY (tenant_id, call_id, basis),
  constraint metric_sets_basis_check CHECK ((basis = ANY (ARRAY['audio'::text, 'text'::text])))
);
alter table metric_sets enable row level security;
alter table metric_sets force row level security;
create policy tenant_wall on metric_sets for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on metric_sets to aftercall_app;

create table pipelines (
  tenant_id uuid not null,
  call_id uuid not null,
  state text default 'running'::text not null,
  plan_id uuid,
  plan_version integer,
  transcript_id uuid,
  run_id uuid,
  told_digest bytea,
  claim_id uuid,
  claim_job uuid,
  lease_until timestamp with time zone,
  is_woken boolean default false not null,
  wake_at timestamp with time zone,
  settle_by timestamp with time zone not null,
  started_at timestamp with time zone default now() not null,
  settled_at timestamp with time zone,
  edited_transcript_id uuid,
  is_withheld boolean default false not null,
  constraint pipelines_pkey PRIMARY KEY (tenant_id, call_id),
  constraint pipelines_state_check CHECK ((state = ANY (ARRAY['running'::text, 'settled'::text]))),
  constraint pipelines_tenant_id_call_id_fkey FOREIGN KEY (tenant_id, call_id) REFERENCES calls(tenant_id, id)
) with (fillfactor=80);
CREATE INDEX pipelines_due ON public.pipelines USING btree (wake_at) WHERE (state = 'running'::text);
alter table pipelines enable row level security;
alter table pipelines force row level security;
create policy lookup on pipelines for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on pipelines for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on pipelines to aftercall_app;
grant select on pipelines to aftercall_lookup;

create table private_targets (
  tenant_id uuid not null,
  block cidr not null,
  granted_by text not null,
  created_at timestamp with time zone default now() not null,
  constraint private_targets_pkey PRIMARY KEY (tenant_id, block),
  constraint private_targets_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
alter table private_targets enable row level security;
alter table private_targets force row level security;
create policy tenant_wall on private_targets for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select on private_targets to aftercall_app;

create table published_messages (
  tenant_id uuid not null,
  external_id text not null,
  message_id uuid not null,
  created_at timestamp with time zone default now() not null,
  constraint published_messages_pkey PRIMARY KEY (tenant_id, external_id),
  constraint published_messages_external_id_check CHECK (((length(external_id) >= 1) AND (length(external_id) <= 255))),
  constraint published_messages_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
CREATE INDEX published_messages_created ON public.published_messages USING btree (created_at);
alter table published_messages enable row level security;
alter table published_messages force row level security;
create policy lookup on published_messages for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on published_messages for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select on published_messages to aftercall_app;
grant select on published_messages to aftercall_lookup;

create table quarantine (
  tenant_id uuid not null,
  id uuid not null,
  source_id uuid not null,
  provider text not null,
  route text not null,
  reason text not null,
  detail text,
  method text not null,
  url text not null,
  headers jsonb not null,
  sealed_headers bytea not null,
  body bytea not null,
  received_at timestamp with time zone not null,
  replayed_at timestamp with time zone,
  replay_result text,
  constraint quarantine_pkey PRIMARY KEY (tenant_id, id),
  constraint quarantine_route_check CHECK ((route = ANY (ARRAY['given'::text, 'own'::text]))),
  constraint quarantine_tenant_id_source_id_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES sources(tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX quarantine_received ON public.quarantine USING btree (tenant_id, received_at);
CREATE INDEX quarantine_source ON public.quarantine USING btree (tenant_id, source_id, id);
alter table quarantine enable row level security;
alter table quarantine force row level security;
create policy tenant_wall on quarantine for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on quarantine to aftercall_app;

create table recordings (
  tenant_id uuid not null,
  id uuid not null,
  call_id uuid not null,
  kind text not null,
  state text not null,
  reason text,
  detail text,
  source_digest bytea not null,
  blob_key text,
  sha256 bytea,
  bytes bigint,
  mime text,
  codec text,
  sample_rate_hz integer,
  channels integer,
  channel_map text[] default '{}'::text[] not null,
  duration_ms integer,
  peaks_key text,
  sealed_key bytea,
  created_at timestamp with time zone default now() not null,
  stored_at timestamp with time zone,
  deleted_at timestamp with time zone,
  speech json,
  peaks_bytes integer,
  measured_at timestamp with time zone,
  is_restricted boolean default false not null,
  constraint recordings_pkey PRIMARY KEY (tenant_id, id),
  constraint recordings_tenant_id_call_id_kind_source_digest_key UNIQUE (tenant_id, call_id, kind, source_digest),
  constraint recordings_kind_check CHECK ((kind = ANY (ARRAY['original'::text, 'redacted'::text]))),
  constraint recordings_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'stored'::text, 'failed'::text, 'deleted'::text]))),
  constraint recordings_tenant_id_call_id_fkey FOREIGN KEY (tenant_id, call_id) REFERENCES calls(tenant_id, id),
  constraint recordings_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
CREATE INDEX recordings_call ON public.recordings USING btree (tenant_id, call_id, created_at);
alter table recordings enable row level security;
alter table recordings force row level security;
create policy tenant_wall on recordings for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on recordings to aftercall_app;

create table replays (
  tenant_id uuid not null,
  id uuid not null,
  filter jsonb not null,
  state text default 'running'::text not null,
  cursor_xid xid8,
  cursor_seq bigint,
  upper_xid xid8 not null,
  changed_count integer default 0 not null,
  unchanged_count integer default 0 not null,
  problem_count integer default 0 not null,
  actor text not null,
  created_at timestamp with time zone default now() not null,
  finished_at timestamp with time zone,
  constraint replays_pkey PRIMARY KEY (tenant_id, id),
  constraint replays_state_check CHECK ((state = ANY (ARRAY['running'::text, 'done'::text, 'canceled'::text, 'failed'::text]))),
  constraint replays_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
alter table replays enable row level security;
alter table replays force row level security;
create policy tenant_wall on replays for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on replays to aftercall_app;

create table resends (
  tenant_id uuid not null,
  id uuid not null,
  mode text not null,
  filter jsonb not null,
  endpoint_id uuid,
  is_forced boolean default false not null,
  state text default 'running'::text not null,
  rate_per_second integer not null,
  upper_at timestamp with time zone default now() not null,
  cursor_at timestamp with time zone,
  cursor_id uuid,
  next_at timestamp with time zone default now() not null,
  run_count integer default 0 not null,
  total_count integer not null,
  resent_count integer default 0 not null,
  actor text not null,
  created_at timestamp with time zone default now() not null,
  finished_at timestamp with time zone,
  constraint resends_pkey PRIMARY KEY (tenant_id, id),
  constraint resends_mode_check CHECK ((mode = ANY (ARRAY['failed'::text, 'missing'::text, 'all'::text]))),
  constraint resends_rate_per_second_check CHECK (((rate_per_second >= 1) AND (rate_per_second <= 1000))),
  constraint resends_state_check CHECK ((state = ANY (ARRAY['running'::text, 'paused'::text, 'canceled'::text, 'done'::text]))),
  constraint resends_total_count_check CHECK ((total_count >= 0)),
  constraint resends_tenant_id_endpoint_id_fkey FOREIGN KEY (tenant_id, endpoint_id) REFERENCES endpoints(tenant_id, id),
  constraint resends_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
CREATE INDEX resends_running ON public.resends USING btree (next_at) WHERE (state = 'running'::text);
alter table resends enable row level security;
alter table resends force row level security;
create policy lookup on resends for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on resends for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on resends to aftercall_app;
grant select on resends to aftercall_lookup;

create table retention_policies (
  tenant_id uuid not null,
  recordings_days integer,
  content_days integer,
  updated_at timestamp with time zone default now() not null,
  constraint retention_policies_pkey PRIMARY KEY (tenant_id),
  constraint retention_policies_content_days_check CHECK (((content_days >= 1) AND (content_days <= 3650))),
  constraint retention_policies_recordings_days_check CHECK (((recordings_days >= 1) AND (recordings_days <= 3650))),
  constraint retention_policies_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
alter table retention_policies enable row level security;
alter table retention_policies force row level security;
create policy tenant_wall on retention_policies for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on retention_policies to aftercall_app;

create table schema_migrations (
  name text not null,
  digest text not null,
  applied_at timestamp with time zone default now() not null,
  constraint schema_migrations_pkey PRIMARY KEY (name)
);
grant select on schema_migrations to aftercall_app;

create table seals (
  tenant_id uuid not null,
  number integer not null,
  upto_xid xid8 not null,
  upto_seq bigint not null,
  event_count integer not null,
  root bytea not null,
  head bytea not null,
  sealed_at timestamp with time zone default now() not null,
  constraint seals_pkey PRIMARY KEY (tenant_id, number),
  constraint seals_event_count_check CHECK ((event_count > 0)),
  constraint seals_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.seals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
alter table seals enable always trigger append_only;
alter table seals enable row level security;
alter table seals force row level security;
create policy tenant_wall on seals for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select on seals to aftercall_app;

create table source_polls (
  tenant_id uuid not null,
  source_id uuid not null,
  due_at timestamp with time zone not null,
  polled_at timestamp with time zone not null,
  result text not null,
  detail text,
  request_count integer default 0 not null,
  found_count integer default 0 not null,
  found_total bigint default 0 not null,
  failure_count integer default 0 not null,
  listed_until timestamp with time zone,
  constraint source_polls_pkey PRIMARY KEY (tenant_id, source_id),
  constraint source_polls_result_check CHECK ((result = ANY (ARRAY['ok'::text, 'off'::text, 'refused'::text, 'limited'::text, 'unavailable'::text, 'unreadable'::text]))),
  constraint source_polls_tenant_id_source_id_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES sources(tenant_id, id) ON DELETE CASCADE
);
alter table source_polls enable row level security;
alter table source_polls force row level security;
create policy lookup on source_polls for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on source_polls for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on source_polls to aftercall_app;
grant select on source_polls to aftercall_lookup;

create table source_secrets (
  tenant_id uuid not null,
  id uuid not null,
  source_id uuid not null,
  slot text not null,
  key_id text,
  sealed bytea not null,
  digest bytea not null,
  hint text default ''::text not null,
  origin text default 'api'::text not null,
  expires_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  constraint source_secrets_pkey PRIMARY KEY (tenant_id, id),
  constraint source_secrets_origin_check CHECK ((origin = ANY (ARRAY['api'::text, 'environment'::text]))),
  constraint source_secrets_tenant_id_source_id_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES sources(tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX source_secrets_source ON public.source_secrets USING btree (tenant_id, source_id);
alter table source_secrets enable row level security;
alter table source_secrets force row level security;
create policy lookup on source_secrets for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on source_secrets for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on source_secrets to aftercall_app;
grant select on source_secrets to aftercall_lookup;

create table source_traffic (
  tenant_id uuid not null,
  source_id uuid not null,
  last_received_at timestamp with time zone,
  days json default '[]'::json not null,
  minutes json default '[]'::json not null,
  constraint source_traffic_pkey PRIMARY KEY (tenant_id, source_id),
  constraint source_traffic_tenant_id_source_id_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES sources(tenant_id, id) ON DELETE CASCADE
) with (fillfactor=50);
alter table source_traffic enable row level security;
alter table source_traffic force row level security;
create policy tenant_wall on source_traffic for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on source_traffic to aftercall_app;

create table sources (
  tenant_id uuid not null,
  id uuid not null,
  slug text not null,
  provider text not null,
  name text not null,
  setup jsonb default '{}'::jsonb not null,
  auth text default 'required'::text not null,
  on_given_routes boolean default false not null,
  given_routes_create boolean default false not null,
  user_id uuid,
  is_enabled boolean default true not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint sources_pkey PRIMARY KEY (tenant_id, id),
  constraint sources_slug_key UNIQUE (slug),
  constraint sources_auth_check CHECK ((auth = ANY (ARRAY['required'::text, 'none'::text]))),
  constraint sources_slug_check CHECK ((slug ~ '^[a-z0-9][a-z0-9_-]{0,62}$'::text)),
  constraint sources_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint sources_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users(tenant_id, id)
);
CREATE INDEX sources_provider ON public.sources USING btree (provider) WHERE on_given_routes;
alter table sources enable row level security;
alter table sources force row level security;
create policy lookup on sources for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on sources for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on sources to aftercall_app;
grant select on sources to aftercall_lookup;

create table step_results (
  tenant_id uuid not null,
  call_id uuid not null,
  step text not null,
  state text not null,
  reason text,
  detail text,
  attempt integer default 0 not null,
  attempts_max integer default 1 not null,
  next_attempt_at timestamp with time zone,
  retried integer default 0 not null,
  input_hash bytea,
  output jsonb,
  engine json,
  usage json,
  cost json default '[]'::json not null,
  queued_at timestamp with time zone default now() not null,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  constraint step_results_pkey PRIMARY KEY (tenant_id, call_id, step),
  constraint step_results_state_check CHECK ((state = ANY (ARRAY['blocked'::text, 'queued'::text, 'running'::text, 'succeeded'::text, 'partial'::text, 'skipped'::text, 'failed'::text])))
) with (fillfactor=80);
CREATE INDEX step_results_parked ON public.step_results USING btree (tenant_id, call_id) WHERE (state = 'failed'::text);
alter table step_results enable row level security;
alter table step_results force row level security;
create policy tenant_wall on step_results for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on step_results to aftercall_app;

create table tenants (
  id uuid not null,
  slug text not null,
  name text not null,
  created_at timestamp with time zone default now() not null,
  deleted_at timestamp with time zone,
  constraint tenants_pkey PRIMARY KEY (id),
  constraint tenants_slug_key UNIQUE (slug),
  constraint tenants_slug_check CHECK ((slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'::text))
);
alter table tenants enable row level security;
alter table tenants force row level security;
create policy lookup on tenants for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on tenants for all to public using ((id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select on tenants to aftercall_app;
grant select on tenants to aftercall_lookup;

create table test_cases (
  tenant_id uuid not null,
  id uuid not null,
  plan_id uuid not null,
  call_id uuid not null,
  transcript_id uuid not null,
  note text not null,
  expected jsonb not null,
  actor text not null,
  created_at timestamp with time zone default now() not null,
  constraint test_cases_pkey PRIMARY KEY (tenant_id, id),
  constraint test_cases_tenant_id_plan_id_call_id_key UNIQUE (tenant_id, plan_id, call_id),
  constraint test_cases_tenant_id_call_id_fkey FOREIGN KEY (tenant_id, call_id) REFERENCES calls(tenant_id, id),
  constraint test_cases_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
alter table test_cases enable row level security;
alter table test_cases force row level security;
create policy tenant_wall on test_cases for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select on test_cases to aftercall_app;

create table training_runs (
  tenant_id uuid not null,
  session_id uuid not null,
  run_id uuid not null,
  plan_id uuid not null,
  plan_version integer not null,
  created_at timestamp with time zone default now() not null,
  constraint training_runs_pkey PRIMARY KEY (tenant_id, session_id, run_id),
  constraint training_runs_tenant_id_session_id_plan_id_plan_version_key UNIQUE (tenant_id, session_id, plan_id, plan_version),
  constraint training_runs_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES analysis_runs(tenant_id, id),
  constraint training_runs_tenant_id_session_id_fkey FOREIGN KEY (tenant_id, session_id) REFERENCES training_sessions(tenant_id, id)
);
alter table training_runs enable row level security;
alter table training_runs force row level security;
create policy tenant_wall on training_runs for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select on training_runs to aftercall_app;

create table training_sessions (
  tenant_id uuid not null,
  id uuid not null,
  assignment_id uuid,
  user_id uuid,
  state text default 'open'::text not null,
  communication_id text,
  call_id uuid,
  feedback jsonb,
  requested_at timestamp with time zone,
  ready_at timestamp with time zone,
  request_count integer default 0 not null,
  created_at timestamp with time zone default now() not null,
  source_id uuid,
  reason text,
  detail text,
  work_number integer default 1 not null,
  work_since timestamp with time zone,
  attempt integer default 1 not null,
  failures integer default 0 not null,
  next_attempt_at timestamp with time zone,
  is_regenerating boolean default false not null,
  transcript_event_id uuid,
  run_id uuid,
  constraint training_sessions_pkey PRIMARY KEY (tenant_id, id),
  constraint training_sessions_state_check CHECK ((state = ANY (ARRAY['open'::text, 'requested'::text, 'ready'::text, 'failed'::text]))),
  constraint training_sessions_tenant_id_assignment_id_fkey FOREIGN KEY (tenant_id, assignment_id) REFERENCES assignments(tenant_id, id),
  constraint training_sessions_tenant_id_call_id_fkey FOREIGN KEY (tenant_id, call_id) REFERENCES calls(tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
  constraint training_sessions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint training_sessions_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users(tenant_id, id)
);
CREATE INDEX training_sessions_run ON public.training_sessions USING btree (tenant_id, run_id) WHERE (run_id IS NOT NULL);
CREATE INDEX training_sessions_working ON public.training_sessions USING btree (tenant_id, id) WHERE ((state = 'requested'::text) OR is_regenerating);
alter table training_sessions enable row level security;
alter table training_sessions force row level security;
create policy tenant_wall on training_sessions for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on training_sessions to aftercall_app;

create table transcripts (
  tenant_id uuid not null,
  id uuid not null,
  call_id uuid not null,
  event_id uuid,
  origin text not null,
  language text,
  text text not null,
  turns json not null,
  created_at timestamp with time zone default now() not null,
  engine json,
  parent_id uuid,
  timing text,
  redaction text default 'none'::text not null,
  quality json,
  constraint transcripts_pkey PRIMARY KEY (tenant_id, id),
  constraint transcripts_tenant_id_event_id_key UNIQUE (tenant_id, event_id),
  constraint transcripts_redaction_check CHECK ((redaction = ANY (ARRAY['none'::text, 'masked'::text]))),
  constraint transcripts_timing_check CHECK ((timing = ANY (ARRAY['word'::text, 'turn'::text, 'start_only'::text, 'none'::text])))
) with (toast_tuple_target=8160);
alter table transcripts alter column text set storage external;
alter table transcripts alter column turns set storage external;
CREATE INDEX transcripts_call ON public.transcripts USING btree (call_id, tenant_id);
alter table transcripts enable row level security;
alter table transcripts force row level security;
create policy tenant_wall on transcripts for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on transcripts to aftercall_app;

create table unmatched_events (
  tenant_id uuid not null,
  kind text not null,
  value text not null,
  event_id uuid not null,
  created_at timestamp with time zone default now() not null,
  constraint unmatched_events_pkey PRIMARY KEY (tenant_id, kind, value, event_id),
  constraint unmatched_events_tenant_id_event_id_fkey FOREIGN KEY (tenant_id, event_id) REFERENCES events(tenant_id, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX unmatched_events_event ON public.unmatched_events USING btree (tenant_id, event_id);
alter table unmatched_events enable row level security;
alter table unmatched_events force row level security;
create policy lookup on unmatched_events for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on unmatched_events for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant delete, insert, select, update on unmatched_events to aftercall_app;
grant select on unmatched_events to aftercall_lookup;

create table users (
  tenant_id uuid not null,
  id uuid not null,
  external_id text not null,
  name text,
  created_at timestamp with time zone default now() not null,
  role text,
  removed_at timestamp with time zone,
  constraint users_pkey PRIMARY KEY (tenant_id, id),
  constraint users_tenant_id_external_id_key UNIQUE (tenant_id, external_id),
  constraint users_external_id_check CHECK (((length(external_id) >= 1) AND (length(external_id) <= 255))),
  constraint users_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text, 'viewer'::text]))),
  constraint users_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);
CREATE INDEX users_external ON public.users USING btree (external_id);
CREATE INDEX users_members ON public.users USING btree (tenant_id, id) WHERE ((role IS NOT NULL) AND (removed_at IS NULL));
alter table users enable row level security;
alter table users force row level security;
create policy lookup on users for select to aftercall_lookup using ((CURRENT_USER = 'aftercall_lookup'::name));
create policy tenant_wall on users for all to public using ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[]))) with check ((tenant_id = ANY (( SELECT app_tenants() AS app_tenants)::uuid[])));
grant insert, select, update on users to aftercall_app;
grant select on users to aftercall_lookup;
