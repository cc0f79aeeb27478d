-- What tenants publish themselves: their event types, their messages, and the keys that make a POST safe to send again.

-- Event types of a tenant's own. Ours are not rows: they are the catalogue of the contract.
create table event_types (
  tenant_id uuid not null references tenants (id),
  name text not null check (length(name) between 3 and 100),
  title text not null default '',
  description text not null default '',
  -- JSON Schema of data; null: any object.
  schema json,
  examples json not null default '{}',
  -- Archived: messages of this type are refused, those sent stay.
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, name)
);

-- The tenant's own ids of messages it published, apart from messages, which are dropped by age: one id, one message.
create table published_messages (
  tenant_id uuid not null references tenants (id),
  external_id text not null check (length(external_id) between 1 and 255),
  message_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, external_id)
);
create index published_messages_created on published_messages (created_at);

-- Constant defaults: no table is rewritten.
alter table messages
  -- The tenant's own id of a message it published.
  add column external_id text check (length(external_id) between 1 and 255),
  -- An endpoint that names channels gets only messages of one of them.
  add column channels text[] not null default '{}';

create table idempotency_keys (
  tenant_id uuid not null references tenants (id),
  -- Whose key it is: two credentials of a tenant do not meet in one key.
  actor text not null,
  key text not null check (length(key) between 1 and 255),
  -- sha256 of method, path and body.
  fingerprint bytea not null check (length(fingerprint) = 32),
  -- The request that works under the key. One that took over changes it, so that nothing of the one before can commit.
  holder_id uuid not null,
  locked_until timestamptz not null,
  -- Written in the transaction of the effect itself: from then on the request is never done again.
  effected_at timestamptz,
  -- Status and body. Sealed: an answer may hold a new API key.
  sealed_answer bytea,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, actor, key)
);
create index idempotency_keys_expired on idempotency_keys (expires_at);

do $$
declare t text;
begin
  foreach t in array array['event_types', 'published_messages', 'idempotency_keys']
  loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy tenant_wall on %I using (tenant_id = any ((select app_tenants())::uuid[])) with check (tenant_id = any ((select app_tenants())::uuid[]))', t);
  end loop;
end $$;

grant select, insert, update on event_types to aftercall_app;
grant select, insert, delete on published_messages to aftercall_app;
grant select, insert, update, delete on idempotency_keys to aftercall_app;

-- Which tenants have something that is only kept for a while and is over.
grant select on idempotency_keys, published_messages to aftercall_lookup;
create policy lookup on idempotency_keys for select to aftercall_lookup using (current_user = 'aftercall_lookup');
create policy lookup on published_messages for select to aftercall_lookup using (current_user = 'aftercall_lookup');
create function lookup_tenants_with_expired_keys() returns setof uuid language sql stable security definer set search_path = public
  as $$ select distinct k.tenant_id from idempotency_keys k where k.expires_at < now() $$;
create function lookup_tenants_with_published_before(moment timestamptz) returns setof uuid language sql stable security definer set search_path = public
  as $$ select distinct p.tenant_id from published_messages p where p.created_at < moment $$;

do $$
declare f text;
begin
  foreach f in array array['lookup_tenants_with_expired_keys()', 'lookup_tenants_with_published_before(timestamptz)']
  loop
    execute format('revoke all on function %s from public', f);
    execute format('grant execute on function %s to aftercall_app', f);
    execute format('alter function %s owner to aftercall_lookup', f);
  end loop;
end $$;
