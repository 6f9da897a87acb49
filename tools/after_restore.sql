-- Run this on a restored database before anything is sent from it: see docs/operations.md.

-- Messages that were waiting may have been sent since. With an expired lease, the sweep records them
-- as `unknown`, with their history and counters.
UPDATE messages SET status = 'sending', next_attempt_at = NULL, lease_until = 0
WHERE next_attempt_at IS NOT NULL;

-- Skip the ids that were assigned since, so that no old credential matches a new address.
INSERT INTO sqlite_sequence (name, seq)
SELECT 'addresses', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'addresses');
UPDATE sqlite_sequence SET seq = seq + 1000000 WHERE name = 'addresses';
