-- What is made of a call after it ended: recordings, steps, analysis plans and runs, numbers, what it cost.
-- New tables, and columns with constant defaults on transcripts: nothing is rewritten and nothing is locked for long.

-- Transcripts that no event brought: made from the recording, edited by a person, or masked.
alter table transcripts
  alter column event_id drop not null,
  add column engine json,
  -- The transcript that this one was made from.
  add column parent_id uuid,
  add column timing text check (timing in ('word', 'turn', 'start_only', 'none')),
  add column redaction text not null default 'none' check (redaction in ('none', 'masked')),
  add column quality json;

create table recordings (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  call_id uuid not null,
  kind text not null check (kind in ('original', 'redacted')),
  state text not null check (state in ('pending', 'stored', 'failed', 'deleted')),
  reason text,
  detail text,
  -- What it was fetched from; a signed URL is a secret, so only its digest is kept.
  source_digest bytea not null,
  -- Where it lies in the object store.
  blob_key text,
  sha256 bytea,
  bytes bigint,
  mime text,
  codec text,
  sample_rate_hz int,
  channels int,
  channel_map text[] not null default '{}',
  duration_ms int,
  -- Object with the lowest and highest value of each 10 ms, per channel.
  peaks_key text,
  -- The key its bytes are encrypted with, sealed; without it nobody can read them.
  sealed_key bytea,
  created_at timestamptz not null default now(),
  stored_at timestamptz,
  deleted_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, call_id, kind, source_digest),
  foreign key (tenant_id, call_id) references calls (tenant_id, id)
);

-- The pipeline of one call: one row, claimed by whoever runs it.
create table pipelines (
  tenant_id uuid not null,
  call_id uuid not null,
  state text not null default 'running' check (state in ('running', 'settled')),
  plan_id uuid,
  plan_version int,
  -- The transcript that counts; null while only a provider's own is there.
  transcript_id uuid,
  -- The run that holds the results of its steps.
  run_id uuid,
  -- Of what was told last: what comes later and changes nothing is not told again.
  told_digest bytea,
  -- Who works on it, until when without a word. Whoever comes meanwhile leaves a note instead: is_woken.
  claim_id uuid,
  -- The job that it was claimed in: the job's next try need not wait for the end of the lease.
  claim_job uuid,
  lease_until timestamptz,
  is_woken boolean not null default false,
  -- When something is to be done next: a try, a limit. Null: only news can move it.
  wake_at timestamptz,
  -- When call.completed goes out with what is there.
  settle_by timestamptz not null,
  started_at timestamptz not null default now(),
  settled_at timestamptz,
  primary key (tenant_id, call_id),
  foreign key (tenant_id, call_id) references calls (tenant_id, id)
) with (fillfactor = 80);
-- What nobody works on although it is time; asked for by every process, so it must be small.
create index pipelines_due on pipelines (wake_at) where state = 'running';

-- How each step of a call went. A result is stored before the next step begins, so a paid answer is never paid for again.
create table step_results (
  tenant_id uuid not null,
  call_id uuid not null,
  step text not null,
  state text not null check (state in ('blocked', 'queued', 'running', 'succeeded', 'partial', 'skipped', 'failed')),
  reason text,
  detail text,
  attempt int not null default 0,
  attempts_max int not null default 1,
  next_attempt_at timestamptz,
  -- How often a person had it done again.
  retried int not null default 0,
  -- What it was made from: recording or transcript, plan, engine, prompt. The same input is not worked on twice.
  input_hash bytea,
  output jsonb,
  engine json,
  usage json,
  cost json not null default '[]',
  queued_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  primary key (tenant_id, call_id, step),
  foreign key (tenant_id, call_id) references calls (tenant_id, id)
) with (fillfactor = 80);
create index step_results_parked on step_results (tenant_id, call_id) where state = 'failed';

-- Answers of engines that cost money, kept under what was asked, so that nothing is asked twice.
create table engine_answers (
  tenant_id uuid not null,
  call_id uuid not null,
  step text not null,
  input_hash bytea not null,
  answer jsonb not null,
  engine json not null,
  usage json,
  cost json not null default '[]',
  created_at timestamptz not null default now(),
  primary key (tenant_id, call_id, step, input_hash),
  foreign key (tenant_id, call_id) references calls (tenant_id, id)
);

create table analysis_plans (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  version int not null,
  name text not null,
  status text not null check (status in ('draft', 'published', 'archived')),
  definition jsonb not null,
  -- The order in which plans are tried; the first that applies is used.
  position int not null default 0,
  created_by text not null,
  created_at timestamptz not null default now(),
  published_at timestamptz,
  primary key (tenant_id, id, version)
);
create unique index analysis_plans_draft on analysis_plans (tenant_id, id) where status = 'draft';

-- A published version never changes; it may only be archived.
create function refuse_plan_change() returns trigger language plpgsql as $$
begin
  if old.status <> 'draft' and (new.definition is distinct from old.definition or new.name is distinct from old.name or new.status = 'draft') then
    raise exception 'a published plan never changes' using errcode = '42501';
  end if;
  return new;
end $$;
create trigger published_is_final before update on analysis_plans for each row execute function refuse_plan_change();

-- What was made of a call. Rows never change but for is_current.
create table analysis_runs (
  tenant_id uuid not null,
  id uuid not null,
  call_id uuid not null,
  transcript_id uuid,
  plan_id uuid not null,
  plan_version int not null,
  plan_name text not null,
  trigger text not null check (trigger in ('pipeline', 'rerun', 'bulk', 'preview', 'provider')),
  job_id uuid,
  status text not null check (status in ('queued', 'running', 'succeeded', 'partial', 'failed', 'skipped')),
  is_current boolean not null default false,
  input_hash bytea not null,
  sections jsonb not null,
  summary jsonb,
  fields jsonb not null default '[]',
  trackers jsonb not null default '[]',
  evaluation jsonb,
  coaching jsonb,
  usage json,
  cost json not null default '[]',
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, call_id) references calls (tenant_id, id)
);
create index analysis_runs_call on analysis_runs (tenant_id, call_id, created_at);
create unique index analysis_runs_current on analysis_runs (tenant_id, call_id) where is_current;

create table metric_sets (
  tenant_id uuid not null,
  call_id uuid not null,
  basis text not null check (basis in ('audio', 'text')),
  definitions_version text not null,
  params json not null,
  "values" json not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, call_id, basis),
  foreign key (tenant_id, call_id) references calls (tenant_id, id)
);

-- What engines cost, by day and model, for budgets and the bill. Attempts that failed cost too.
create table engine_costs (
  tenant_id uuid not null references tenants (id),
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
  at timestamptz not null default now(),
  primary key (tenant_id, id)
);
create index engine_costs_at on engine_costs (tenant_id, at);

-- Which models a tenant uses. The key is sealed; it is never shown again.
create table engines (
  tenant_id uuid not null references tenants (id),
  kind text not null check (kind in ('language', 'speech')),
  vendor text not null,
  base_url text not null,
  model text not null,
  sealed_api_key bytea,
  settings jsonb not null default '{}',
  -- Money per month; work that would go beyond it is skipped with the reason cost_limit.
  budget_amount numeric,
  budget_currency text,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, kind)
);

do $$
declare t text;
begin
  foreach t in array array['recordings', 'pipelines', 'step_results', 'engine_answers', 'analysis_plans', 'analysis_runs', 'metric_sets', 'engine_costs', 'engines']
  loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy tenant_wall on %I using (tenant_id = any ((select app_tenants())::uuid[])) with check (tenant_id = any ((select app_tenants())::uuid[]))', t);
  end loop;
end $$;
grant select, insert, update on recordings, pipelines, step_results, analysis_plans, analysis_runs, metric_sets to aftercall_app;
grant select, insert, update, delete on engines to aftercall_app;
grant select, insert on engine_costs, engine_answers to aftercall_app;

-- Tenants with pipelines that are due and that nobody works on.
grant select on pipelines to aftercall_lookup;
create policy lookup on pipelines for select to aftercall_lookup using (current_user = 'aftercall_lookup');
create function lookup_tenants_with_idle_pipelines(before timestamptz) returns setof uuid language sql stable security definer set search_path = public
  as $$ select distinct p.tenant_id from pipelines p where p.state = 'running' and p.wake_at < before $$;
revoke all on function lookup_tenants_with_idle_pipelines(timestamptz) from public;
grant execute on function lookup_tenants_with_idle_pipelines(timestamptz) to aftercall_app;
alter function lookup_tenants_with_idle_pipelines(timestamptz) owner to aftercall_lookup;
