-- What a model says a call is about, and how it was felt. Two columns that are null in runs from before: no row is rewritten.
alter table analysis_runs add column topics jsonb, add column sentiment jsonb;
