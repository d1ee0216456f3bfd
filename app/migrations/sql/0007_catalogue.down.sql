drop table scenario_approval, sign_off;
