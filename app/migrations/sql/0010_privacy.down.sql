revoke delete on subject, consent, instrument from tanpu_worker;
drop table erasure, guardian_code, guardianship, citizen_setting;
drop index account_erased;
-- Refused once somebody was erased: the revision before knows no owner without a key.
alter table account drop constraint account_check;
alter table account add constraint account_check check ((id & 1 = 1) = (akey is null));
