-- Who wants to be told live what becomes of deliveries (topic `deliveries`). One row for a tenant that ever did; where there is
-- none, delivering costs one look. Of big tables only `changes` is touched: its check takes two kinds more, and is not run over
-- the rows that are there, which passed the narrower one.

create table delivery_follows (
  tenant_id uuid primary key references tenants (id),
  -- From when on every result is told. Null until those that were being written without it have committed.
  since timestamptz,
  -- Until when results are told without anybody asking again: as long as somebody may come back to go on.
  until timestamptz not null
);

alter table delivery_follows enable row level security;
alter table delivery_follows force row level security;
create policy tenant_wall on delivery_follows using (tenant_id = any ((select app_tenants())::uuid[])) with check (tenant_id = any ((select app_tenants())::uuid[]));
grant select, insert, update on delivery_follows to aftercall_app;

-- Asked by who writes results, after the first of them is written. Volatile, so that it sees what has committed since the
-- statement began; and who begins to follow waits for the lock, that is for everybody who was answered "no".
create function follows_deliveries(tenant uuid) returns boolean language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock_shared(hashtextextended('deliveries ' || tenant::text, 0));
  return exists (select from delivery_follows f where f.tenant_id = tenant and f.until > now());
end $$;

alter table changes drop constraint changes_kind_check;
alter table changes add constraint changes_kind_check
  check (kind in ('call', 'transcription', 'campaign', 'delivery', 'endpoint')) not valid;
