-- Feedback on training sessions: how far the work is, what it waits for, and the runs it came from.
-- Columns with constant defaults on a small table, and one new table.

alter table training_sessions
  -- The source whose webhook asked: its settings say where the transcript is fetched.
  add column source_id uuid,
  add column reason text,
  add column detail text,
  -- 1 for the run that the webhook asked for, one more for each that a person asked for.
  add column work_number int not null default 1,
  add column work_since timestamptz,
  -- The attempt that is due or under way; failures are those that were not just a transcript that is not written yet.
  add column attempt int not null default 1,
  add column failures int not null default 0,
  -- Null while an attempt is under way.
  add column next_attempt_at timestamptz,
  add column is_regenerating boolean not null default false,
  -- The transcript as it was fetched, so that it is fetched once.
  add column transcript_event_id uuid,
  -- The run that the feedback is from.
  add column run_id uuid;
create index training_sessions_run on training_sessions (tenant_id, run_id) where run_id is not null;
create index training_sessions_working on training_sessions (tenant_id, id) where state = 'requested' or is_regenerating;

alter table analysis_runs drop constraint analysis_runs_trigger_check;
alter table analysis_runs add constraint analysis_runs_trigger_check
  check (trigger in ('pipeline', 'rerun', 'bulk', 'preview', 'training', 'provider'));

-- A session is graded once by each version of a rubric.
create table training_runs (
  tenant_id uuid not null,
  session_id uuid not null,
  run_id uuid not null,
  plan_id uuid not null,
  plan_version int not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, session_id, run_id),
  unique (tenant_id, session_id, plan_id, plan_version),
  foreign key (tenant_id, session_id) references training_sessions (tenant_id, id),
  foreign key (tenant_id, run_id) references analysis_runs (tenant_id, id)
);

do $$
declare t text;
begin
  foreach t in array array['training_runs']
  loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy tenant_wall on %I using (tenant_id = any ((select app_tenants())::uuid[])) with check (tenant_id = any ((select app_tenants())::uuid[]))', t);
  end loop;
end $$;
grant select, insert on training_runs to aftercall_app;
