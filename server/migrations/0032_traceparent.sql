-- The trace that what caused a message belongs to (W3C Trace Context), for those that had one: it goes on in its deliveries.
-- A nullable column without a default: nothing is rewritten.
alter table messages add column traceparent text;
