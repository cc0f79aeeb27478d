-- What was heard in a recording, and where it was when it was last looked at. Columns that may be null: nothing is rewritten.

alter table recordings
  -- Per channel when somebody speaks: [[[start_ms, end_ms], …], …]. Null until it was decoded.
  add column speech json,
  -- Length of the object with the peaks, in bytes before encryption.
  add column peaks_bytes int,
  add column measured_at timestamptz;
create index recordings_call on recordings (tenant_id, call_id, created_at);
