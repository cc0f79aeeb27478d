-- The shape of /v1 that a key or an endpoint was made with: it stays when a newer one comes. What was made before any was written
-- down has the first one. Constant defaults: nothing is rewritten.
alter table api_keys add column api_version text not null default '2026-11-21';
alter table endpoints add column api_version text not null default '2026-11-21';
