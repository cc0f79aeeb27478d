-- A provider's own analysis is a run beside ours, and what is only kept for a while can be removed. Small indexes, a grant: nothing
-- is rewritten; while the indexes are built, writes to runs wait.

create index analysis_runs_provider on analysis_runs (tenant_id, call_id, id) where trigger = 'provider';
create index analysis_runs_previews on analysis_runs (tenant_id, created_at) where trigger = 'preview';
grant delete on engine_costs, analysis_runs, analysis_jobs, analysis_job_calls to aftercall_app;
