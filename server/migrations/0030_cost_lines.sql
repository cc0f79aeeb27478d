-- What engines cost, by call as well: an index for the costs of one call, and by which table of prices a line was estimated.
alter table engine_costs add column price_version text;
create index engine_costs_call on engine_costs (call_id, tenant_id) where call_id is not null;
