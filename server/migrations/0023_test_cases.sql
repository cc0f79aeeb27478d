-- Calls as test cases of analysis plans: a new table. And small indexes for what is only kept for a while; while they are built,
-- writes to these tables wait.

create table test_cases (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  plan_id uuid not null,
  call_id uuid not null,
  -- The words as they were then, whatever is put right in the call later.
  transcript_id uuid not null,
  note text not null,
  -- { "fields": [{ "name", "value" }], "criteria": [{ "criterion_id", "verdict" }] }
  expected jsonb not null,
  actor text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, plan_id, call_id),
  foreign key (tenant_id, call_id) references calls (tenant_id, id)
);
alter table test_cases enable row level security;
alter table test_cases force row level security;
create policy tenant_wall on test_cases using (tenant_id = any ((select app_tenants())::uuid[])) with check (tenant_id = any ((select app_tenants())::uuid[]));
grant select, insert, delete on test_cases to aftercall_app;

alter table analysis_jobs drop constraint analysis_jobs_kind_check;
alter table analysis_jobs add constraint analysis_jobs_kind_check check (kind in ('preview', 'rerun', 'bulk', 'test'));

create index engine_answers_at on engine_answers (tenant_id, created_at);
create index analysis_jobs_finished on analysis_jobs (tenant_id, finished_at) where finished_at is not null;
