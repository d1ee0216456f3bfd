drop table month_settlement, act_window, accrual_day, act_change, act_merge, activity, activity_key,
  upload_receipt, upload_chunk, upload, mode_provider, place_alias, exclusion, methodology_version;
drop function forget_only(), make_forget_only(regclass);
create or replace function ensure_partitions(months_ahead int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  made int := 0;
  first date := date_trunc('month', now() at time zone 'Asia/Shanghai')::date;
  part text;
begin
  if months_ahead not between 0 and 36 then
    raise exception 'months_ahead is 0 to 36' using errcode = 'TP002';
  end if;
  perform pg_advisory_xact_lock(hashtext('ensure_partitions'));
  for month in -1..months_ahead loop
    part := to_char(first + make_interval(months => month), '"transfer_"YYYYMM');
    if to_regclass(part) is null then
      execute format('create table %I partition of transfer for values from (%L) to (%L)', part,
        (first + make_interval(months => month))::date, (first + make_interval(months => month + 1))::date);
      perform make_append_only(part::regclass);
      made := made + 1;
    end if;
  end loop;
  return made;
end $$;
