-- Messages of tenants that are to be sent later, and those that are no use after a time. Columns without a default need no
-- rewrite. What has a time is looked for in a small table of its own, so that deliveries get no further index.
alter table messages
  -- Not sent before.
  add column deliver_at timestamptz,
  -- What has not arrived by then is undelivered.
  add column expires_at timestamptz;

create table message_expiries (
  tenant_id uuid not null references tenants (id),
  message_id uuid not null,
  expires_at timestamptz not null,
  primary key (tenant_id, message_id),
  foreign key (tenant_id, message_id) references messages (tenant_id, id) on delete cascade
);
create index message_expiries_due on message_expiries (expires_at);

alter table message_expiries enable row level security;
alter table message_expiries force row level security;
create policy tenant_wall on message_expiries
  using (tenant_id = any ((select app_tenants())::uuid[])) with check (tenant_id = any ((select app_tenants())::uuid[]));
grant select, insert, delete on message_expiries to aftercall_app;

grant select on message_expiries to aftercall_lookup;
create policy lookup on message_expiries for select to aftercall_lookup using (current_user = 'aftercall_lookup');
create function lookup_tenants_with_expired_messages() returns setof uuid language sql stable security definer set search_path = public
  as $$ select distinct e.tenant_id from message_expiries e where e.expires_at <= now() $$;
revoke all on function lookup_tenants_with_expired_messages() from public;
grant execute on function lookup_tenants_with_expired_messages() to aftercall_app;
alter function lookup_tenants_with_expired_messages() owner to aftercall_lookup;
