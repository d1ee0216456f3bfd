drop index audit_entry_of_object, audit_entry_of_actor;
drop table partner_assertion, partner_key, partner, clerk_credential, clerk;
drop table profile, session, limit_use, login_code, login;
