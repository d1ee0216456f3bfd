"""Where every table lives (R2): the classification that the co-location law is tested against.

A new table without a line here fails the test, so that somebody decides.
"""

OWNED = {
    "account",
    "account_secret",
    "balance",
    "transfer",
    "log_note",
    "log_pending",
    "subject",
    "consent",
    "activity",
    "act_merge",
    "act_change",
    "act_window",
    "accrual_day",
    "month_settlement",
    "citizen_answer",
    "exchange",
    "exchange_class",
    "exchange_recovery",
    "points_debt",
    "earmark_due",
    "behaviour_act",
    "behaviour_day",
    "session",
    "profile",
    "appeal",
    "team_member",
    "challenge_entry",
    "leaderboard_entrant",
    "statement_check",
}
"""`bucket` leads every key; no statement joins two of them but by bucket."""

REFERENCE = {
    "system_account",
    "asset",
    "provider",
    "provider_key",
    "methodology_version",
    "exclusion",
    "place_alias",
    "sign_off",
    "scenario_approval",
    "methodology_document",
    "methodology_withdrawal",
    "methodology_anchor",
    "factor_correction",
    "programme",
    "exchange_rate",
    "behaviour_reward",
}
"""Small, replicated to every node."""

CENTRAL = {
    "job",
    "mode_provider",
    "alembic_version",
    "upload",
    "upload_chunk",
    "upload_receipt",
    "provider_nonce",
    "provider_answer",
    "epoch_cut",
    "epoch_staging",
    "epoch",
    "log_entry",
    "log_edge",
    "account_leaf",
    "account_anchor",
    "cell",
    "supply",
    "submission",
    "anchored",
    "desk_answer",
    "audit_entry",
    "approval",
    "clerk",
    "clerk_credential",
    "partner",
    "partner_key",
    "partner_assertion",
    "login_code",
    "limit_use",
    "points_outstanding",
    "debt_total",
    "team",
    "challenge",
}
"""Live once: log, map, epochs, uploads, what providers asked, jobs."""

LOOKED_UP_FIRST = {"instrument", "activity_key", "login", "budget_slice", "budget_day", "statement"}
"""The allow-list of R2: read or written before the owner, and so the bucket, is known."""
