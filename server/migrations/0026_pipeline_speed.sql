-- What the pipeline of a call looks up, by the columns that tell rows apart first, and foreign keys that can find nothing.
-- The indexes are built anew: writes to calls and transcripts wait meanwhile, about a second for each million rows. Dropping
-- the constraints locks their tables for a moment.

-- Every name of a call, those of its doubles among them: without an index each look read all calls of the tenant.
create index calls_merged on calls (merged_into, tenant_id) where merged_into is not null;

-- With the tenant first, and while the table has no statistics, this index looks as good as the key of an event to the planner,
-- which then reads all transcripts of the tenant to find one.
drop index transcripts_call;
create index transcripts_call on transcripts (call_id, tenant_id);

-- These rows are written in the transaction that has the call locked and its pipeline, whose own foreign key stays: fifteen checks
-- a call. Nobody may delete a call: erasing empties it and keeps the row.
alter table step_results drop constraint step_results_tenant_id_call_id_fkey;
alter table metric_sets drop constraint metric_sets_tenant_id_call_id_fkey;
alter table call_search drop constraint call_search_tenant_id_call_id_fkey;
