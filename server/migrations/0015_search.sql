-- What calls can be found by: what was said, their summaries, names and numbers, folded for search (text/search-text.ts).
-- A new table and its index; nothing that exists is touched. Written after the call, so intake pays nothing for it.

create table call_search (
  tenant_id uuid not null,
  call_id uuid not null,
  -- Every line folded, one a line, so that a phrase is never found across two.
  text text not null,
  -- The same lines as they were said, in the same order, each with its turn.
  lines json not null,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, call_id),
  foreign key (tenant_id, call_id) references calls (tenant_id, id)
);
-- Trigrams find "בית" inside "בבית". With LC_CTYPE C they find nothing in Hebrew; the server says so when it starts.
create index call_search_text on call_search using gin (text gin_trgm_ops);

alter table call_search enable row level security;
alter table call_search force row level security;
create policy tenant_wall on call_search using (tenant_id = any ((select app_tenants())::uuid[])) with check (tenant_id = any ((select app_tenants())::uuid[]));
grant select, insert, update, delete on call_search to aftercall_app;
