-- What happens inside a call besides talk: tools that were called, transfers, keys, holds. One new table, empty at first.

-- One row for each event that told of any; calls without them have none. What holds of each moment is joined when it is read,
-- by the events that the call's state names.
create table call_moments (
  tenant_id uuid not null,
  event_id uuid not null,
  call_id uuid not null,
  moments json not null,
  -- The same without personal data, where the call's plan masks it.
  masked json,
  -- What was told is gone: `moments` is masked.
  is_masked_only boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (tenant_id, event_id),
  foreign key (tenant_id, call_id) references calls (tenant_id, id) deferrable initially deferred
);
create index call_moments_call on call_moments (tenant_id, call_id);

alter table call_moments enable row level security;
alter table call_moments force row level security;
create policy tenant_wall on call_moments
  using (tenant_id = any ((select app_tenants())::uuid[])) with check (tenant_id = any ((select app_tenants())::uuid[]));
grant select, insert, update, delete on call_moments to aftercall_app;
