drop table survey_tally, survey_ticket, travel_survey, gathering_action, gathering_plan, inventory, gathering_line,
  gathering;
