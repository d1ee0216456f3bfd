revoke update (reason, payload) on approval from tanpu_worker;
drop table scenario_application, monitored_period, project_meter, project_accrual, project_day,
  monitoring_report, project_exclusion, project_review, project_revision, project;
