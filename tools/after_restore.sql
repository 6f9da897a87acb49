-- Run this on a restored database before any message is sent from it: see docs/operations.md.

-- Messages that were waiting at the time of the backup may have been sent since. They get an expired
-- lease here, so the sweep makes them `unknown` and updates their history and the counters. No
-- provider is asked again with an old key: another one may have sent the message since.
UPDATE messages SET status = 'sending', next_attempt_at = NULL, lease_until = 0
WHERE next_attempt_at IS NOT NULL;
UPDATE messages SET ask_until = NULL WHERE lease_until IS NOT NULL;

-- Skip the ids of addresses that were created after the backup and are lost. So their credentials
-- match no new address.
INSERT INTO sqlite_sequence (name, seq)
SELECT 'addresses', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'addresses');
UPDATE sqlite_sequence SET seq = seq + 1000000 WHERE name = 'addresses';
