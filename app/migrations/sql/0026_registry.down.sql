drop table issued_shortfall, issued_row, lot_row, replacement, issue_batch, lot_decision, lot_finding,
  sampled_row, lot_sample, lot_nonce, lot_report, lot_tile, lot_leaf, lot, buffer_owner, issuance_terms;
