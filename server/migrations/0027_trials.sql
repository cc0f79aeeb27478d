-- Deliveries that several processes died with are tried one at a time. A column with a constant default: nothing is rewritten,
-- and the table is held for a moment only.

-- Trials in a row that the process did not survive. Counted when a trial begins, and forgotten when it was survived.
alter table deliveries add column trial_count smallint not null default 0;
