-- Fails nowhere: messages and notices repeat what other tables keep.
drop table notice;
drop index reversal_when, redemption_when;
drop table webhook_cursor, webhook_attempt, webhook_delivery, webhook_message, webhook_endpoint;
