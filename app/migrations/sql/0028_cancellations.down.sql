-- Voluntary cancellations (自愿注销) and certificates (注销证书).
drop table claim_takedown, certificate, cancellation_part, cancellation, claim_opening;
