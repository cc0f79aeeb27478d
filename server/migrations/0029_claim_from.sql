-- lookup_lanes, and when the oldest row of each lane became due: the claim begins there. While a transaction stays open for long,
-- index entries of rows that were claimed meanwhile cannot be removed, and the claim would walk over all of them once more.
-- lookup_lanes stays for processes of the version before.
create function lookup_ready_lanes(lanes_max int, full_endpoints uuid[], workers int)
  returns table (tenant_id uuid, endpoint_id uuid, is_retry boolean, is_closed boolean, is_gated boolean, in_flight_max int,
    wait_ms double precision, due_from text)
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
  $$;
revoke all on function lookup_ready_lanes(int, uuid[], int) from public;
grant execute on function lookup_ready_lanes(int, uuid[], int) to aftercall_app;
alter function lookup_ready_lanes(int, uuid[], int) owner to aftercall_lookup;
