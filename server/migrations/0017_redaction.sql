-- Masked words are the ones that count, and what could not be masked is held back. Transcripts that a person put right.
-- Columns with constant defaults: nothing is rewritten and nothing is locked for long.

alter table pipelines
  -- A person's version of what was said; it takes the place of the provider's.
  add column edited_transcript_id uuid,
  -- The words had to be masked and could not be: nobody is shown them.
  add column is_withheld boolean not null default false;

-- Only an administrator hears it: the plan publishes recordings with personal data silenced.
alter table recordings add column is_restricted boolean not null default false;
