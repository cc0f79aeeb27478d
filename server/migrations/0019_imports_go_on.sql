-- An import that broke off goes on where it was, and can be stopped; a campaign of past calls completes without a word. Columns
-- with constant defaults: a moment's lock on each table, nothing is rewritten.
alter table imports drop constraint imports_state_check;
alter table imports add constraint imports_state_check check (state in ('running', 'done', 'interrupted', 'canceled'));
-- Who reads the file at the moment: nobody else writes down progress.
alter table imports add column holder_id uuid;
-- The process that reads it, as for deliveries: when it is gone the import has broken off.
alter table imports add column claimed_by int default nullif(current_setting('app.process', true), '')::int;

-- Completed by calls of which nothing is sent to endpoints. The first other call that ends in it completes it once more, aloud.
alter table campaigns add column is_completed_quietly boolean not null default false;
