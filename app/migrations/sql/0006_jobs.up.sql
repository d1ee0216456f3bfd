-- Slots of the ticker (定时任务): one row a job and slot, so a slot runs once whoever ticks (central).
create table job (
  name text not null,
  slot timestamptz not null,
  begun_at timestamptz not null default now(),
  done_at timestamptz,
  attempts int not null default 1,
  primary key (name, slot)
);
grant select, insert, update, delete on job to tanpu_worker;
grant select on job to tanpu_audit;
