-- Where an endpoint is tried when its URL failed; delays between attempts for some types of messages ({"call.*": [5000]}); and
-- whether a CloudEvent is sent whole, or its attributes as headers; whether its receiver is asked for leave first. The constant defaults need no rewrite. A process of the
-- version before goes on with the URL and the schedule alone, and sends CloudEvents whole.
alter table endpoints
  add column fallback_url text,
  add column type_schedules_ms json not null default '{}',
  add column cloudevents_mode text not null default 'structured' check (cloudevents_mode in ('structured', 'binary')),
  add column is_handshake_on boolean not null default false;
