-- What people read of their own acts, and what they contest (钱包与申诉).
--
-- An act's fate is derived (docs/decisions/0009): this view is the one place that says how. It is
-- read with one bucket and account in the WHERE, which PostgreSQL passes on to each part of it.

create view act_fate with (security_invoker = true) as
select a.bucket, a.account, a.recorded_on, a.id, a.provider, a.methodology, a.occurred_on,
       a.evidence, a.mode, a.asset, a.raw_mg, a.reason, a.inputs, a.source_occurred_at, a.place,
       m.counted, m.reason as merge_reason, m.recorded_on as merged_on,
       coalesce(t.amount, 0) + coalesce(c.mg, 0) as granted_mg,
       greatest(a.recorded_on, m.recorded_on, c.changed_on) as decided_on,
       case when a.reason is not null then 'ineligible'
            when m.counted is not null then 'merged' else 'accepted' end as outcome
  from activity a
  left join transfer t on t.bucket = a.bucket and t.recorded_on = a.recorded_on and t.id = a.id
  left join (select bucket, account, activity, sum(amount_mg)::bigint as mg,
                    max(recorded_on) as changed_on
               from act_change group by bucket, account, activity) c
    on c.bucket = a.bucket and c.account = a.account and c.activity = a.id
  left join (select distinct on (bucket, account, activity)
                    bucket, account, activity, counted, reason, recorded_on
               from act_merge order by bucket, account, activity, id desc) m
    on m.bucket = a.bucket and m.account = a.account and m.activity = a.id;
comment on view act_fate is 'Every act with what became of it: an act told is an act here, merged or not';

-- owned: a person's objection, and the desk's answer in the same row, as with an approval
create table appeal (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  activity uuid not null,
  contests text not null check (contests in ('too_low', 'merged', 'ineligible', 'withdrawn')),
  reason text check (length(reason) between 1 and 2000),
  raised_at timestamptz not null,
  due_at timestamptz not null check (due_at > raised_at),
  decided_at timestamptz,
  decided_by text check (length(decided_by) between 1 and 100),
  is_upheld boolean,
  answer text check (length(answer) between 1 and 2000),
  correction text check (length(correction) between 1 and 2000),
  primary key (bucket, account, id),
  foreign key (bucket, account) references account (bucket, id),
  check (num_nulls(decided_at, decided_by, is_upheld) in (0, 3)),
  check ((correction is not null) <= coalesce(is_upheld, false))
);
comment on column appeal.reason is 'The person''s own words; null once they were erased';
comment on column appeal.correction is 'What an upheld appeal orders; nothing is edited by it';
create unique index appeal_one_open on appeal (bucket, account, activity) where decided_at is null;
-- The desk's queue runs over everybody, the oldest first: ids are in order of time.
create index appeal_open on appeal (id) where decided_at is null;
create index appeal_decided on appeal (id) where decided_at is not null;

-- No role may delete one, and no column of what was asked can be rewritten but to forget it.
grant select on act_fate to tanpu_app, tanpu_audit;
grant select, insert on appeal to tanpu_app;
grant update (decided_at, decided_by, is_upheld, answer, correction) on appeal to tanpu_app;
grant update (reason) on appeal to tanpu_worker;
grant select on appeal to tanpu_audit;
