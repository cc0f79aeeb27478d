-- What was sent in an attempt, secrets masked. Text as it was written: it is only ever read whole.
alter table attempt_bodies add column request_headers json;
