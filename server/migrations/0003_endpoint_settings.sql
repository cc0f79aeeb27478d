-- What an endpoint can be told: what it wants, in which form, how it is signed, and how it is treated.
-- Every column has a default that means what the server did before, so processes of the version before go on beside this one.
-- The constant defaults need no rewrite; body_form does, and the table is small: some rows for each tenant.

alter table endpoints
  -- The tenant's own name for it, for set-ups that are kept as files.
  add column uid text check (length(uid) between 1 and 255),
  add column metadata jsonb not null default '{}',
  -- ordinary: messages about calls and what tenants publish · operational: messages about the delivery itself.
  add column kind text not null default 'ordinary' check (kind in ('ordinary', 'operational')),
  -- Null: all of them.
  add column campaign_ids uuid[] check (cardinality(campaign_ids) > 0),
  add column channels text[] check (cardinality(channels) > 0),
  -- In the filter language (contract/src/filter.ts), on the body in the standard format.
  add column filter jsonb,
  add column payload text not null default 'full' check (payload in ('full', 'thin')),
  add column signature jsonb not null default '{"profile": "standard"}',
  -- A secret that only the profile signs with, custom headers, credentials for the receiver: each sealed to this row.
  add column sealed_signature_secret bytea,
  add column sealed_headers bytea,
  add column sealed_auth bytea,
  -- Status codes after which nothing is tried again: ["400-403", "422"].
  add column status_rules jsonb not null default '[]',
  -- At most rate_limit attempts in rate_per_seconds, of which rate_burst at once.
  add column rate_limit int check (rate_limit > 0),
  add column rate_per_seconds int check (rate_per_seconds > 0),
  add column rate_burst int check (rate_burst > 0),
  add column order_mode text not null default 'none' check (order_mode in ('none', 'skip', 'strict')),
  -- The longest wait before a retry while later messages wait behind it.
  add column strict_delay_max_ms bigint not null default 600000 check (strict_delay_max_ms between 1000 and 86400000),
  -- Paused: messages wait. Disabled (disabled_at): messages are undelivered.
  add column paused_at timestamptz,
  add column is_breaker_on boolean not null default true,
  add column is_auto_disabled_on boolean not null default true,
  add constraint rate_is_whole check (num_nulls(rate_limit, rate_per_seconds, rate_burst) in (0, 3));

alter table endpoints drop constraint endpoints_format_check;
alter table endpoints add constraint endpoints_format_check check (format in ('standard', 'flat', 'cloudevents'));

-- Which of a message's bodies it gets: message_bodies.format is one of these.
alter table endpoints add column body_form text not null
  generated always as (case payload when 'thin' then format || '.thin' else format end) stored;

create unique index endpoints_uid on endpoints (tenant_id, uid) where deleted_at is null;
