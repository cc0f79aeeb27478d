-- Analysis plans at work: runs of many calls, the switch between runs, and people's word on scorecards. New tables only.

-- A preview, a re-run of one call, or one of thousands. Progress is rows, so a restart goes on where it stopped.
create table analysis_jobs (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  kind text not null check (kind in ('preview', 'rerun', 'bulk')),
  plan_id uuid not null,
  plan_version int not null,
  sections text[] not null,
  filter jsonb not null,
  -- Whether what is identical to a run that is there is made again.
  is_forced boolean not null default false,
  state text not null default 'running' check (state in ('running', 'paused', 'canceled', 'done')),
  rate_per_minute int not null check (rate_per_minute between 1 and 6000),
  concurrency int not null check (concurrency between 1 and 16),
  estimate jsonb not null,
  -- How often it was handed to a worker.
  run_count int not null default 0,
  -- When it was worked at last; who says nothing for long has died.
  worked_at timestamptz not null default now(),
  actor text not null,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (tenant_id, id)
);
create index analysis_jobs_running on analysis_jobs (worked_at) where state = 'running';

create table analysis_job_calls (
  tenant_id uuid not null,
  job_id uuid not null,
  call_id uuid not null,
  state text not null default 'pending' check (state in ('pending', 'done', 'identical', 'skipped', 'failed')),
  run_id uuid,
  reason text,
  detail text,
  attempt int not null default 0,
  next_attempt_at timestamptz,
  finished_at timestamptz,
  primary key (tenant_id, job_id, call_id),
  foreign key (tenant_id, job_id) references analysis_jobs (tenant_id, id),
  foreign key (tenant_id, call_id) references calls (tenant_id, id),
  foreign key (tenant_id, run_id) references analysis_runs (tenant_id, id)
) with (fillfactor = 80);
create index analysis_job_calls_pending on analysis_job_calls (tenant_id, job_id, call_id) where state = 'pending';

-- Which runs of a job were made the current ones of their calls, and what was current before, so that it can be undone.
create table analysis_promotions (
  tenant_id uuid not null,
  id uuid not null,
  job_id uuid,
  actor text not null,
  created_at timestamptz not null default now(),
  reverted_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, job_id) references analysis_jobs (tenant_id, id)
);
create table analysis_promotion_calls (
  tenant_id uuid not null,
  promotion_id uuid not null,
  call_id uuid not null,
  run_before uuid,
  run_after uuid not null,
  primary key (tenant_id, promotion_id, call_id),
  foreign key (tenant_id, promotion_id) references analysis_promotions (tenant_id, id),
  foreign key (tenant_id, run_after) references analysis_runs (tenant_id, id)
);

-- A person's verdict in place of the machine's, which stays in its run. The last one for a criterion counts.
create table evaluation_overrides (
  tenant_id uuid not null,
  id uuid not null,
  seq bigint generated always as identity,
  run_id uuid not null,
  criterion_id text not null,
  verdict text not null check (verdict in ('met', 'partial', 'not_met', 'unknown', 'not_applicable')),
  points numeric,
  reason text not null check (reason in ('incorrect_score', 'incorrect_evidence', 'missing_evidence', 'other')),
  comment text not null,
  actor text not null,
  -- The whole scorecard with this override and all before it.
  effective jsonb not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, run_id) references analysis_runs (tenant_id, id)
);
create index evaluation_overrides_run on evaluation_overrides (tenant_id, run_id, seq);

-- What people said about a scorecard as a whole; the last row is where it stands.
create table evaluation_reviews (
  tenant_id uuid not null,
  id uuid not null,
  seq bigint generated always as identity,
  run_id uuid not null,
  state text not null check (state in ('draft', 'submitted', 'acknowledged', 'disputed', 'resolved', 'voided')),
  comment text not null,
  actor text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, run_id) references analysis_runs (tenant_id, id)
);
create index evaluation_reviews_run on evaluation_reviews (tenant_id, run_id, seq);

do $$
declare t text;
begin
  foreach t in array array['analysis_jobs', 'analysis_job_calls', 'analysis_promotions', 'analysis_promotion_calls', 'evaluation_overrides', 'evaluation_reviews']
  loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy tenant_wall on %I using (tenant_id = any ((select app_tenants())::uuid[])) with check (tenant_id = any ((select app_tenants())::uuid[]))', t);
  end loop;
end $$;
grant select, insert, update on analysis_jobs, analysis_job_calls, analysis_promotions to aftercall_app;
grant select, insert on analysis_promotion_calls, evaluation_overrides, evaluation_reviews to aftercall_app;
-- A draft that nobody used may go.
grant delete on analysis_plans to aftercall_app;

-- Jobs that nobody works at although they should go on.
grant select on analysis_jobs to aftercall_lookup;
create policy lookup on analysis_jobs for select to aftercall_lookup using (current_user = 'aftercall_lookup');
create function lookup_idle_analysis_jobs(idle interval) returns table (tenant_id uuid, id uuid) language sql stable security definer set search_path = public
  as $$ select j.tenant_id, j.id from analysis_jobs j where j.state = 'running' and j.worked_at < now() - idle $$;
do $$
begin
  revoke all on function lookup_idle_analysis_jobs(interval) from public;
  grant execute on function lookup_idle_analysis_jobs(interval) to aftercall_app;
  alter function lookup_idle_analysis_jobs(interval) owner to aftercall_lookup;
end $$;
