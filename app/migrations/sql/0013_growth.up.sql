select 1; -- begun: filled by its domain before it lands
