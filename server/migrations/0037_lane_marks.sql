-- lookup_ready_lanes, begun in each known lane at a mark: where the lane began when it was looked at last. While a transaction stays
-- open for long, index entries of rows that were claimed meanwhile cannot be removed, and looking for the first row of a lane would
-- walk over all of them each time. The marks come sorted, with one behind all lanes at the end. Between two marks lanes are found
-- one after the other as before, without touching an entry of a marked one.
--
-- A lane is marked where its first row is, but not within the last lag_ms: a transaction may still bring a row that became due when
-- it began. Lanes of endpoints that want order are not marked, rows of theirs that waited for others become due where they were.
-- lookup_ready_lanes stays for processes of the version before.
create function lookup_lanes_from_marks(lanes_max int, full_endpoints uuid[], workers int, lag_ms int,
    mark_tenants uuid[], mark_endpoints uuid[], mark_retries boolean[], mark_dues timestamptz[], mark_ids uuid[])
  returns table (tenant_id uuid, endpoint_id uuid, is_retry boolean, is_closed boolean, is_gated boolean, in_flight_max int,
    wait_ms double precision, due_from text, id_from uuid, mark_due text, mark_id uuid)
  language sql stable security definer set search_path = public
  as $$
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
  $$;
revoke all on function lookup_lanes_from_marks(int, uuid[], int, int, uuid[], uuid[], boolean[], timestamptz[], uuid[]) from public;
grant execute on function lookup_lanes_from_marks(int, uuid[], int, int, uuid[], uuid[], boolean[], timestamptz[], uuid[]) to aftercall_app;
alter function lookup_lanes_from_marks(int, uuid[], int, int, uuid[], uuid[], boolean[], timestamptz[], uuid[]) owner to aftercall_lookup;
