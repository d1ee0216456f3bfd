-- Upkeep of the books and of what is anchored.

-- reference ------------------------------------------------------------------------------------
create table methodology_standing (
  code text not null,
  version int not null,
  registry text not null,
  standing smallint not null check (standing in (2, 3)),
  seen_at timestamptz not null,
  primary key (code, version, registry, standing)
);
comment on table methodology_standing is 'What was seen, in a final block, of versions that left';
comment on column methodology_standing.standing is 'As in the contract: 2 superseded, 3 withdrawn';
create table closed_asset (
  asset int primary key references asset (id),
  closed_on date not null
);
comment on table closed_asset is 'Classes whose empty balances go; audited by their net (R8)';

select make_append_only(t)
  from unnest(array['methodology_standing', 'closed_asset']::regclass[]) t;
grant select on methodology_standing, closed_asset to tanpu_app, tanpu_audit;
grant insert on methodology_standing, closed_asset to tanpu_app;
