-- For a database that was restored, before anything is sent from it: see docs/operations.md.

-- What waited then may have been sent since, and nobody knows. An attempt whose lease is over is
-- one that the sweep ends as `unknown`, with its history and its counters.
UPDATE messages SET status = 'sending', next_attempt_at = NULL, lease_until = 0
WHERE next_attempt_at IS NOT NULL;

-- Ids that were given since are never given again, so an old credential meets no new address.
INSERT INTO sqlite_sequence (name, seq)
SELECT 'addresses', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'addresses');
UPDATE sqlite_sequence SET seq = seq + 1000000 WHERE name = 'addresses';
