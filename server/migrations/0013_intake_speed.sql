-- Foreign keys that every webhook paid for and that can find nothing: one in five microseconds of the database.
-- Drops constraints only: each table is locked for a moment, no row is read or written, and processes of the version before
-- go on beside this. What is said here of rights is enforced by the grants of the files before.

-- The tenant of a call or message is the one of the source, user or key in whose name it is written, read in the same process;
-- row-level security refuses any tenant that the transaction was not opened for. Nobody may delete a tenant.
alter table calls drop constraint calls_tenant_id_fkey;
alter table messages drop constraint messages_tenant_id_fkey;

-- A key is written in the transaction of its event, whose own foreign key holds the source; that one stays, and is what
-- refuses to delete a source that has received something.
alter table event_keys drop constraint event_keys_tenant_id_source_id_fkey;

-- These rows name the call that their own transaction has just locked and written. Nobody may delete a call: erasing empties
-- it and keeps the row. Every reader finds the call by tenant and id together, so a row could never show another tenant's.
-- call_aliases keeps its key: a name is given before its call is written, and must not outlive the failure to write it.
alter table events drop constraint events_tenant_id_call_id_fkey;
alter table messages drop constraint messages_tenant_id_call_id_fkey;
alter table transcripts drop constraint transcripts_tenant_id_call_id_fkey;
