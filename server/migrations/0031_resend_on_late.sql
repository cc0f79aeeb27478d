-- Whether an endpoint is told of a call once more when something that comes after call.completed changes what was made of it.
alter table endpoints add column resend_on_late boolean not null default false;
