-- What live clients are told, kept for two days, so that a client that was cut off goes on where it stopped.
-- A new table: nothing that exists is touched.

create table changes (
  tenant_id uuid not null,
  -- When it can be seen is decided by its transaction, not by the order of its number: readers ask by snapshot (live/store.ts).
  xid xid8 not null default pg_current_xact_id(),
  -- Given while the call is locked, so the changes of one call are in the order in which they happened.
  seq bigint generated always as identity,
  kind text not null check (kind in ('call', 'transcription', 'campaign')),
  call_id uuid,
  campaign_id uuid,
  -- json and not jsonb: it is read whole or not at all (live/payload.ts).
  payload json not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, xid, seq)
);
-- No foreign keys: a row is written in the transaction of what it tells of, and is allowed to outlive it for two days.

alter table changes enable row level security;
alter table changes force row level security;
create policy tenant_wall on changes using (tenant_id = any ((select app_tenants())::uuid[])) with check (tenant_id = any ((select app_tenants())::uuid[]));
grant select, insert, delete on changes to aftercall_app;
