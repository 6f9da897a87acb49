-- Requests for a balance, which an administrator may grant: rows that nobody has granted yet. Those
-- of all others are not in it, so a send writes nothing here.
CREATE INDEX send_balances_requested ON send_balances (created_at, address_id)
  WHERE balance = 0 AND NOT enabled;
