drop table approval, audit_entry, desk_answer, citizen_answer;
