-- The steps that make the body of an endpoint with the format `mapped` out of another format, which stands in `format`.
-- Json, not jsonb: the order of fields is the order in which they are renamed and written.
alter table endpoints add column mapping json;
