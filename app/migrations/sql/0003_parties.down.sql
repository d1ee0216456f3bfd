drop table provider_answer, provider_nonce, instrument, consent, subject, provider_key, provider;
