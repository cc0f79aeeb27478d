-- The foundation: tenants, sources, the event log, calls, campaigns, training, endpoints and deliveries.
-- Runs on an empty database, so it says nothing about big live tables.
--
-- Rules every table keeps: a tenant_id, a primary key (tenant_id, …), composite foreign keys (so no row can point into
-- another tenant), row-level security that is forced, and grants to aftercall_app only for what the code does.

create extension if not exists pg_trgm;

-- The tenants this transaction may see. No setting means no rows; after a transaction the setting is '' (hence nullif).
create function app_tenants() returns uuid[] language sql stable parallel safe
  as $$ select nullif(current_setting('app.tenants', true), '')::uuid[] $$;

create table tenants (
  id uuid primary key,
  slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name text not null,
  created_at timestamptz not null default now()
);

create table users (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  external_id text not null check (length(external_id) between 1 and 255),
  name text,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, external_id)
);
create index users_external on users (external_id);

create table api_keys (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  digest bytea not null unique check (length(digest) = 32),
  prefix text not null,
  name text not null,
  role text not null check (role in ('owner', 'admin', 'member', 'viewer')),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);

create table audit_log (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  actor text not null,
  action text not null,
  subject text not null,
  detail jsonb not null default '{}',
  at timestamptz not null default now(),
  primary key (tenant_id, id)
);

create table sources (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  provider text not null,
  name text not null,
  setup jsonb not null default '{}',
  -- 'none' is only ever written in so many words: a source without secrets refuses everything.
  auth text not null default 'required' check (auth in ('required', 'none')),
  on_given_routes boolean not null default false,
  -- Whether an event for an unknown call on a given route creates the call (own URLs always do).
  given_routes_create boolean not null default false,
  user_id uuid,
  is_enabled boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references users (tenant_id, id)
);
create index sources_provider on sources (provider) where on_given_routes;

create table source_secrets (
  tenant_id uuid not null,
  id uuid not null,
  source_id uuid not null,
  slot text not null,
  key_id text,
  sealed bytea not null,
  -- sha256 of the value: finds an equal secret without opening any.
  digest bytea not null,
  -- Last characters of a long value, so that people can tell secrets apart.
  hint text not null default '',
  origin text not null default 'api' check (origin in ('api', 'environment')),
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, source_id) references sources (tenant_id, id) on delete cascade
);
create index source_secrets_source on source_secrets (tenant_id, source_id);

create table campaigns (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  -- The campaign's name in another system (Vapi campaignId, cmp_42 in a SIP header).
  external_id text check (length(external_id) between 1 and 255),
  name text not null,
  planned_count int check (planned_count >= 0),
  status text not null default 'running' check (status in ('running', 'completed')),
  completed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, external_id)
);

-- The hot row of a campaign, moved by deltas; completion is decided from the value that the update returns.
create table campaign_progress (
  tenant_id uuid not null,
  campaign_id uuid not null,
  total_count int not null default 0,
  queued_count int not null default 0,
  ringing_count int not null default 0,
  in_progress_count int not null default 0,
  ended_count int not null default 0,
  failed_count int not null default 0,
  canceled_count int not null default 0,
  timeout_count int not null default 0,
  completed_outcome_count int not null default 0,
  no_answer_outcome_count int not null default 0,
  busy_outcome_count int not null default 0,
  failed_outcome_count int not null default 0,
  voicemail_outcome_count int not null default 0,
  canceled_outcome_count int not null default 0,
  transferred_outcome_count int not null default 0,
  primary key (tenant_id, campaign_id),
  foreign key (tenant_id, campaign_id) references campaigns (tenant_id, id)
) with (fillfactor = 50);

create table calls (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  provider text not null,
  provider_call_id text not null,
  status text not null check (status in ('queued', 'ringing', 'in_progress', 'ended', 'failed', 'canceled', 'timeout')),
  outcome text check (outcome in ('completed', 'no_answer', 'busy', 'failed', 'voicemail', 'canceled', 'transferred')),
  direction text check (direction in ('inbound', 'outbound', 'web')),
  from_number text,
  to_number text,
  started_at timestamptz,
  answered_at timestamptz,
  ended_at timestamptz,
  duration_ms bigint,
  campaign_id uuid,
  user_id uuid,
  -- Everything claimed about the call, joined (calls/state.ts); the columns above are its projection.
  state json not null,
  -- Which of call.ended, call.failed, call.completed have been said.
  announced text[] not null default '{}',
  merged_into uuid,
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, campaign_id) references campaigns (tenant_id, id),
  foreign key (tenant_id, user_id) references users (tenant_id, id),
  foreign key (tenant_id, merged_into) references calls (tenant_id, id)
) with (fillfactor = 70, toast_tuple_target = 8160);
-- The state is read and written whole, so it is json and uncompressed: building jsonb was a fifth of an intake transaction, and
-- compressing 3 KB took four fifths of the time of writing the row.
alter table calls alter column state set storage external;
create index calls_campaign on calls (tenant_id, campaign_id) where campaign_id is not null;

-- Every name of a call. The row is also the lock on which two providers agree about one call.
create table call_aliases (
  tenant_id uuid not null,
  kind text not null,
  value text not null check (length(value) between 1 and 255),
  call_id uuid not null,
  primary key (tenant_id, kind, value),
  foreign key (tenant_id, call_id) references calls (tenant_id, id) deferrable initially deferred
) with (fillfactor = 90);
-- The call first: by the tenant first, a plan made without statistics takes it for names as well, and reads all of the tenant.
create index call_aliases_call on call_aliases (call_id, tenant_id);

-- The dedupe decision, apart from the log because it is updated and the log never is.
create table event_keys (
  tenant_id uuid not null,
  source_id uuid not null,
  key text not null check (length(key) between 1 and 255),
  event_id uuid not null,
  body_digest bytea not null,
  seen_count int not null default 1,
  differing_count int not null default 0,
  -- Its effect could not be applied: the next repeat tries again.
  needs_retry boolean not null default false,
  first_seen_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  primary key (tenant_id, source_id, key),
  foreign key (tenant_id, source_id) references sources (tenant_id, id)
) with (fillfactor = 80);

-- The immutable log: what was received, byte for byte, and what it did.
create table events (
  tenant_id uuid not null,
  id uuid not null,
  seq bigint generated always as identity,
  xid xid8 not null default pg_current_xact_id(),
  source_id uuid not null,
  provider text not null,
  type text not null,
  key text not null,
  -- Which part of the body, where one request carries several events (Twilio Event Streams).
  part int not null default 0,
  occurred_at timestamptz,
  received_at timestamptz not null,
  route text not null check (route in ('given', 'own')),
  url text not null,
  content_type text not null,
  headers json not null,
  body bytea not null,
  verification text not null,
  effect text not null check (effect in ('applied', 'recorded', 'unmatched')),
  call_id uuid,
  status_after text,
  outcome_after text,
  problem text,
  primary key (tenant_id, id),
  foreign key (tenant_id, source_id) references sources (tenant_id, id),
  foreign key (tenant_id, call_id) references calls (tenant_id, id) deferrable initially deferred
) with (toast_tuple_target = 8160);
-- Bodies are stored as they came: compressing 3 KB costs more time than writing it (docs/decisions/0004).
alter table events alter column body set storage external;
create index events_cursor on events (tenant_id, xid, seq);
create index events_call on events (tenant_id, call_id) where call_id is not null;

-- What a stored event did later: matched to a call that appeared afterwards, or run again by a replay. Append-only too.
create table event_applications (
  tenant_id uuid not null,
  id uuid not null,
  event_id uuid not null,
  call_id uuid,
  cause text not null check (cause in ('matched', 'replay', 'retry')),
  status_after text,
  outcome_after text,
  problem text,
  at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, event_id) references events (tenant_id, id),
  foreign key (tenant_id, call_id) references calls (tenant_id, id)
);
create index event_applications_event on event_applications (tenant_id, event_id);
create index event_applications_call on event_applications (tenant_id, call_id) where call_id is not null;

create table unmatched_events (
  tenant_id uuid not null,
  kind text not null,
  value text not null,
  event_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, kind, value, event_id),
  foreign key (tenant_id, event_id) references events (tenant_id, id) deferrable initially deferred
);
create index unmatched_events_event on unmatched_events (tenant_id, event_id);

-- Refused requests, bounded per source; replayable once the secret is right. Headers are sealed: they may hold a secret.
create table quarantine (
  tenant_id uuid not null,
  id uuid not null,
  source_id uuid not null,
  provider text not null,
  route text not null check (route in ('given', 'own')),
  reason text not null,
  detail text,
  method text not null,
  url text not null,
  headers jsonb not null,
  sealed_headers bytea not null,
  body bytea not null,
  received_at timestamptz not null,
  replayed_at timestamptz,
  replay_result text,
  primary key (tenant_id, id),
  foreign key (tenant_id, source_id) references sources (tenant_id, id) on delete cascade
);
create index quarantine_source on quarantine (tenant_id, source_id, id);

create table transcripts (
  tenant_id uuid not null,
  id uuid not null,
  call_id uuid not null,
  event_id uuid not null,
  origin text not null,
  language text,
  text text not null,
  turns json not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, event_id),
  foreign key (tenant_id, call_id) references calls (tenant_id, id) deferrable initially deferred
) with (toast_tuple_target = 8160);
alter table transcripts alter column text set storage external, alter column turns set storage external;
create index transcripts_call on transcripts (tenant_id, call_id);

create table assignments (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  title text not null,
  user_id uuid,
  status text not null default 'open' check (status in ('open', 'completed')),
  completed_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references users (tenant_id, id)
);

create table training_sessions (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  assignment_id uuid,
  user_id uuid,
  -- open → requested (one run was queued) → ready (feedback is there) or failed.
  state text not null default 'open' check (state in ('open', 'requested', 'ready', 'failed')),
  communication_id text,
  call_id uuid,
  feedback jsonb,
  requested_at timestamptz,
  ready_at timestamptz,
  request_count int not null default 0,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, assignment_id) references assignments (tenant_id, id),
  foreign key (tenant_id, user_id) references users (tenant_id, id),
  foreign key (tenant_id, call_id) references calls (tenant_id, id) deferrable initially deferred
);

create table endpoints (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  url text not null check (length(url) between 8 and 2048),
  description text not null default '',
  -- Event types, '*' for all.
  types text[] not null,
  -- any: all calls · inbound, outbound, generic: the three URLs of the routing rule (delivery/choose.ts).
  direction text not null default 'any' check (direction in ('any', 'inbound', 'outbound', 'generic')),
  format text not null default 'standard' check (format in ('standard', 'flat')),
  schedule_ms bigint[] not null,
  timeout_ms int not null default 15000 check (timeout_ms between 1000 and 30000),
  in_flight_max int not null default 10 check (in_flight_max between 1 and 500),
  -- user: by a person · gone: the receiver answered 410.
  disabled_at timestamptz,
  disabled_reason text check (disabled_reason in ('user', 'gone')),
  -- Kept as a row: deliveries point at it, and the intake of another process may still know it for some seconds.
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id)
);

create table endpoint_secrets (
  tenant_id uuid not null,
  id uuid not null,
  endpoint_id uuid not null,
  sealed bytea not null,
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, endpoint_id) references endpoints (tenant_id, id) on delete cascade
);
create index endpoint_secrets_endpoint on endpoint_secrets (tenant_id, endpoint_id);

create table messages (
  tenant_id uuid not null references tenants (id),
  -- Built from the call's time and the digest of (call, type): one fact cannot be written twice.
  id uuid not null,
  type text not null,
  call_id uuid,
  campaign_id uuid,
  occurred_at timestamptz not null,
  -- When the event that caused it was received: the start of the latency that users feel.
  received_at timestamptz not null,
  -- Why no endpoint got it: no_endpoint, filtered; null when at least one delivery was written.
  unrouted_reason text check (unrouted_reason in ('no_endpoint', 'filtered')),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, call_id) references calls (tenant_id, id) deferrable initially deferred,
  foreign key (tenant_id, campaign_id) references campaigns (tenant_id, id)
);
create index messages_call on messages (tenant_id, call_id) where call_id is not null;

-- The bytes to send, frozen at birth, one row per format in use.
create table message_bodies (
  tenant_id uuid not null,
  message_id uuid not null,
  format text not null,
  body bytea not null,
  primary key (tenant_id, message_id, format),
  foreign key (tenant_id, message_id) references messages (tenant_id, id)
) with (toast_tuple_target = 8160);
alter table message_bodies alter column body set storage external;

-- Message × endpoint: the queue itself.
create table deliveries (
  tenant_id uuid not null,
  id uuid not null,
  message_id uuid not null,
  endpoint_id uuid not null,
  cause text not null default 'event',
  state text not null check (state in ('due', 'claimed', 'delivered', 'undelivered')),
  due_at timestamptz not null default now(),
  attempt_count int not null default 0,
  -- Attempts made by hand: they do not count as steps of the schedule.
  manual_count int not null default 0,
  -- Set while the next attempt is one made by hand: when the schedule goes on if it fails; infinity when it had ended.
  resume_at timestamptz,
  claim_id uuid,
  lease_until timestamptz,
  reason text check (reason in ('exhausted', 'gone', 'endpoint_disabled', 'endpoint_deleted')),
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, message_id, endpoint_id, cause),
  foreign key (tenant_id, message_id) references messages (tenant_id, id),
  foreign key (tenant_id, endpoint_id) references endpoints (tenant_id, id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);
-- Every search for due rows starts from the endpoints that may send, so a million rows of one that may not cost nothing.
create index deliveries_due on deliveries (tenant_id, endpoint_id, due_at, id) where state = 'due';
create index deliveries_leased on deliveries (lease_until) where state = 'claimed';
create index deliveries_undelivered on deliveries (tenant_id, id) where state = 'undelivered';

create table attempts (
  tenant_id uuid not null,
  delivery_id uuid not null,
  number int not null,
  started_at timestamptz not null,
  duration_ms int not null,
  -- HTTP status, 0 without an answer.
  status int not null,
  class text not null,
  error text,
  response_headers jsonb,
  response_body bytea,
  node text not null,
  primary key (tenant_id, delivery_id, number),
  foreign key (tenant_id, delivery_id) references deliveries (tenant_id, id)
);

-- A range of stored events run again: progress is a row, so a restart goes on where it stopped.
create table replays (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  filter jsonb not null,
  state text not null default 'running' check (state in ('running', 'done', 'canceled', 'failed')),
  cursor_xid xid8,
  cursor_seq bigint,
  upper_xid xid8 not null,
  changed_count int not null default 0,
  unchanged_count int not null default 0,
  problem_count int not null default 0,
  actor text not null,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (tenant_id, id)
);

-- Append-only means: not even the owner of the table changes a row by mistake.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: % refused', tg_table_name, lower(tg_op) using errcode = '42501';
end $$;
create trigger append_only before update or delete or truncate on events for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on event_applications for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on audit_log for each statement execute function refuse_change();
alter table events enable always trigger append_only;
alter table event_applications enable always trigger append_only;
alter table audit_log enable always trigger append_only;

-- Row-level security on every table, forced, by one policy.
alter table tenants enable row level security;
alter table tenants force row level security;
create policy tenant_wall on tenants using (id = any ((select app_tenants())::uuid[])) with check (id = any ((select app_tenants())::uuid[]));
do $$
declare t text;
begin
  foreach t in array array['users', 'api_keys', 'audit_log', 'sources', 'source_secrets', 'campaigns', 'campaign_progress', 'calls',
    'call_aliases', 'event_keys', 'events', 'event_applications', 'unmatched_events', 'quarantine', 'transcripts', 'assignments',
    'training_sessions', 'endpoints', 'endpoint_secrets', 'messages', 'message_bodies', 'deliveries', 'attempts', 'replays']
  loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy tenant_wall on %I using (tenant_id = any ((select app_tenants())::uuid[])) with check (tenant_id = any ((select app_tenants())::uuid[]))', t);
  end loop;
end $$;

-- The application may do what the code does, and no more.
grant usage on schema public to aftercall_app, aftercall_lookup;
grant execute on function app_tenants() to aftercall_app, aftercall_lookup;
grant select, insert on tenants to aftercall_app;
grant select, insert, update on users, api_keys, campaigns, campaign_progress, calls, call_aliases, event_keys, transcripts,
  assignments, training_sessions, messages, deliveries, replays to aftercall_app;
grant select, insert, update, delete on sources, source_secrets, quarantine, unmatched_events, endpoints, endpoint_secrets to aftercall_app;
grant select, insert on events, event_applications, audit_log, message_bodies, attempts to aftercall_app;

-- What must be known before the tenant is known: ids only, answered by functions whose owner may see these columns and cannot log in.
-- The policies ask for that owner by name, since PostgreSQL 15 extends a policy to everyone who is a member of its role.
grant select on tenants, users, api_keys, sources, endpoints, deliveries, unmatched_events, call_aliases to aftercall_lookup;
create policy lookup on unmatched_events for select to aftercall_lookup using (current_user = 'aftercall_lookup');
create policy lookup on call_aliases for select to aftercall_lookup using (current_user = 'aftercall_lookup');
create policy lookup on tenants for select to aftercall_lookup using (current_user = 'aftercall_lookup');
create policy lookup on users for select to aftercall_lookup using (current_user = 'aftercall_lookup');
create policy lookup on api_keys for select to aftercall_lookup using (current_user = 'aftercall_lookup');
create policy lookup on sources for select to aftercall_lookup using (current_user = 'aftercall_lookup');
create policy lookup on endpoints for select to aftercall_lookup using (current_user = 'aftercall_lookup');
create policy lookup on deliveries for select to aftercall_lookup using (current_user = 'aftercall_lookup');

create function lookup_tenant(wanted_slug text) returns uuid language sql stable security definer set search_path = public
  as $$ select id from tenants where slug = wanted_slug $$;
create function lookup_tenants() returns setof uuid language sql stable security definer set search_path = public
  as $$ select id from tenants $$;
create function lookup_api_key(wanted bytea) returns table (tenant_id uuid, id uuid) language sql stable security definer set search_path = public
  as $$ select k.tenant_id, k.id from api_keys k where k.digest = wanted $$;
create function lookup_user_tenants(wanted_external_id text) returns setof uuid language sql stable security definer set search_path = public
  as $$ select u.tenant_id from users u where u.external_id = wanted_external_id $$;
create function lookup_source(wanted_slug text) returns table (tenant_id uuid, id uuid) language sql stable security definer set search_path = public
  as $$ select s.tenant_id, s.id from sources s where s.slug = wanted_slug $$;
create function lookup_given_route_sources(wanted_provider text) returns table (tenant_id uuid, id uuid) language sql stable security definer set search_path = public
  as $$ select s.tenant_id, s.id from sources s where s.provider = wanted_provider and s.on_given_routes and s.is_enabled order by s.created_at, s.id $$;
-- Tenants that have something to deliver now, so that a claim visits only those.
create function lookup_tenants_with_due_deliveries() returns setof uuid language sql stable security definer set search_path = public
  as $$ select distinct e.tenant_id from endpoints e where exists (select 1 from deliveries d
         where d.tenant_id = e.tenant_id and d.endpoint_id = e.id and d.state = 'due' and d.due_at <= now()) $$;
-- Tenants in which an event waits for a call that exists by now.
create function lookup_tenants_with_overdue_events() returns setof uuid language sql stable security definer set search_path = public
  as $$ select distinct u.tenant_id from unmatched_events u join call_aliases a using (tenant_id, kind, value) $$;
create function lookup_tenants_with_expired_leases() returns setof uuid language sql stable security definer set search_path = public
  as $$ select distinct d.tenant_id from deliveries d where d.state = 'claimed' and d.lease_until < now() $$;
-- Age of the oldest delivery that is due, over all tenants: one number for the metrics.
create function lookup_oldest_due_seconds() returns double precision language sql stable security definer set search_path = public
  as $$ select coalesce(extract(epoch from now() - min(oldest.due_at)), 0) from endpoints e cross join lateral
          (select d.due_at from deliveries d where d.tenant_id = e.tenant_id and d.endpoint_id = e.id and d.state = 'due' and d.due_at <= now()
            order by d.due_at limit 1) as oldest $$;

do $$
declare f text;
begin
  foreach f in array array['lookup_oldest_due_seconds()', 'lookup_tenant(text)', 'lookup_tenants()', 'lookup_api_key(bytea)', 'lookup_user_tenants(text)', 'lookup_source(text)',
    'lookup_given_route_sources(text)', 'lookup_tenants_with_due_deliveries()', 'lookup_tenants_with_expired_leases()', 'lookup_tenants_with_overdue_events()']
  loop
    execute format('revoke all on function %s from public', f);
    execute format('grant execute on function %s to aftercall_app', f);
    execute format('alter function %s owner to aftercall_lookup', f);
  end loop;
end $$;
