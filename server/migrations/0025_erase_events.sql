-- Erasing some events of a call, and not all of them: those that carry its recording. A function; no table is touched.

-- Runs as the owner of the table, whom the tenant wall holds as well. The triggers of the log check each row.
create function erase_events(wanted_tenant uuid, wanted uuid[]) returns int language plpgsql security definer set search_path = public
  as $$
declare erased int;
begin
  perform set_config('app.erasing', 'yes', true);
  update events e set body_digest = sha256(e.body), body = '', headers = '{}', url = split_part(e.url, '?', 1)
   where e.tenant_id = wanted_tenant and e.id = any (wanted) and e.body_digest is null;
  get diagnostics erased = row_count;
  perform set_config('app.erasing', '', true);
  return erased;
end $$;
revoke all on function erase_events(uuid, uuid[]) from public;
grant execute on function erase_events(uuid, uuid[]) to aftercall_app;
