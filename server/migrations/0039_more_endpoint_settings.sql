-- Where an endpoint is tried when its URL failed, and delays between attempts for some types of messages: {"call.*": [5000]}.
-- The constant default needs no rewrite. A process of the version before goes on with the URL and the schedule alone.
alter table endpoints
  add column fallback_url text,
  add column type_schedules_ms json not null default '{}';
