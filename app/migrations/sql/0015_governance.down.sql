drop index act_correction_of_cause;
drop table factor_correction_report, factor_correction_part, shadow_part, shadow_run,
  proposal_review, proposal_revision, methodology_proposal, factor_correction,
  methodology_anchor, methodology_withdrawal, methodology_document;
alter table sign_off drop column name;
