-- A correction that is told again after another one is a new correction, under the same record: what
-- is a duplicate is decided by the newest row of the act, with its person locked (ADR 0024).
drop index act_correction_content;
