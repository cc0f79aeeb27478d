-- Who may do what: roles of people, scopes and rotation of keys, other systems whose tokens are believed, what an end-customer
-- may see, and where each change came from. Columns are added without a default that is computed, so no table is rewritten; the
-- two indexes on calls and campaigns are partial and empty at first.

-- Null: somebody whose calls are known, and whose token says what they may do (member, if it says nothing).
alter table users
  add column role text check (role in ('owner', 'admin', 'member', 'viewer')),
  -- Taken out: their tokens count no more. What belongs to them stays theirs.
  add column removed_at timestamptz;
create index users_members on users (tenant_id, id) where role is not null and removed_at is null;

alter table api_keys
  -- What it may be used for beyond its role: `calls:read`, `*:read`. Null: all that its role may.
  add column scopes text[] check (cardinality(scopes) between 1 and 50),
  -- The key that was made in its place.
  add column replaced_by uuid,
  add constraint api_keys_replaced_by_fkey foreign key (tenant_id, replaced_by) references api_keys (tenant_id, id);

alter table audit_log
  -- What the thing looked like, as the API shows it; only what changed where something was changed.
  add column before jsonb,
  add column after jsonb,
  -- From where: the address of the caller, and the request in our log. Null for what the server did by itself.
  add column address text,
  add column request_id text;
create index audit_log_subject on audit_log (tenant_id, subject, id);

-- The tenant's own end-customer a call or campaign belongs to. Of calls it is a projection of the state, as the columns beside it.
alter table calls add column business_id text;
create index calls_business on calls (tenant_id, business_id, id) where business_id is not null;
alter table campaigns add column business_id text check (length(business_id) between 1 and 1000);
create index campaigns_business on campaigns (tenant_id, business_id, id) where business_id is not null;

-- While a campaign is paused, messages about its calls wait: their deliveries are due at 'infinity'.
alter table campaigns add column deliveries_paused_at timestamptz;
create index campaigns_paused on campaigns (tenant_id) where deliveries_paused_at is not null;

-- What was being sent when it was paused waits with its next try.
create function hold_paused_delivery() returns trigger language plpgsql as $$
begin
  if exists (select 1 from messages m join calls c on c.tenant_id = m.tenant_id and c.id = m.call_id
      join campaigns p on p.tenant_id = c.tenant_id and p.id = c.campaign_id
     where m.tenant_id = new.tenant_id and m.id = new.message_id and p.deliveries_paused_at is not null) then
    new.due_at := 'infinity';
  end if;
  return new;
end $$;
create trigger hold_paused_delivery before update on deliveries for each row
  when (old.state = 'claimed' and new.state = 'due' and new.cause = 'event') execute function hold_paused_delivery();

-- Systems whose tokens a tenant believes: signed with a key of their own, which is fetched.
create table identity_providers (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  name text not null,
  issuer text not null check (length(issuer) between 1 and 500),
  audience text check (length(audience) between 1 and 500),
  jwks_url text not null check (length(jwks_url) between 1 and 2048),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, issuer)
);
create index identity_providers_issuer on identity_providers (issuer);

alter table identity_providers enable row level security;
alter table identity_providers force row level security;
create policy tenant_wall on identity_providers using (tenant_id = any ((select app_tenants())::uuid[])) with check (tenant_id = any ((select app_tenants())::uuid[]));
grant select, insert, delete on identity_providers to aftercall_app;

-- Which tenants believe an issuer: asked before the tenant is known.
grant select on identity_providers to aftercall_lookup;
create policy lookup on identity_providers for select to aftercall_lookup using (current_user = 'aftercall_lookup');
create function lookup_issuer_tenants(wanted text) returns setof uuid language sql stable security definer set search_path = public
  as $$ select i.tenant_id from identity_providers i where i.issuer = wanted order by i.created_at, i.id limit 20 $$;

do $$
begin
  revoke all on function lookup_issuer_tenants(text) from public;
  grant execute on function lookup_issuer_tenants(text) to aftercall_app;
  alter function lookup_issuer_tenants(text) owner to aftercall_lookup;
end $$;
