drop index transfer_contributed;
drop table team_member, challenge_entry, leaderboard_entrant, statement_check, statement, team,
  challenge;
drop sequence statement_place;
