drop table instrument, consent, subject, provider_key, provider;
