-- Conservation (守恒): what the registry, the ledger and the chain say of every unit, once a day and
-- signed; and recalls (撤回): units that turn out to stand for nothing (ADR 0040).

-- central -----------------------------------------------------------------------------------
create table conservation (
  day date primary key,
  body bytea not null,
  sha256 bytea not null check (sha256 = sha256(body)),
  signature bytea not null check (length(signature) = 64),
  is_kept boolean not null,
  closed_at timestamptz not null
);
comment on column conservation.body is 'What is signed; app.registry.conservation writes it';
comment on column conservation.is_kept is 'Whether every equation in it holds';
select make_append_only('conservation'::regclass);

-- Few owners hold units, among millions who hold reductions and points.
create index balance_units on balance (asset) where asset & 7 = 4;

-- grants ------------------------------------------------------------------------------------
grant select, insert on conservation to tanpu_app;
grant select on conservation to tanpu_worker, tanpu_audit;
