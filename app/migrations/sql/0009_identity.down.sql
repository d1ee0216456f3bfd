drop table profile, session, limit_use, login_code, login;
