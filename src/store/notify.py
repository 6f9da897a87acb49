"""Write the deliveries of webhooks that no trigger writes: of what administrators do.

A delivery is written in the batch of the change. The SQL joins changes to the enabled webhooks that
listen: those of the address that the change concerns, and those of administrators.
"""

from store.sendbox_generation import ADMINISTRATION

# Writes the deliveries of ``changes``: SQL with the columns ``address_id``, ``event``, ``now`` and
# ``facts``. ``now`` is when the delivery is written. Its id is a UUID of version 7.
NOTIFY = f"""
INSERT INTO webhook_deliveries (webhook_id, id, type, next_attempt_at, facts, created_at)
SELECT
  hook.id,
  printf(
    '%08x-%04x-7%s-8%s-%s', c.now >> 16, c.now & 65535, substr(lower(hex(randomblob(2))), 2),
    substr(lower(hex(randomblob(2))), 2), lower(hex(randomblob(6)))
  ),
  c.event, c.now, c.facts, c.now
FROM ({{changes}}) AS c CROSS JOIN webhooks AS hook
  ON hook.address_id IN (c.address_id, {ADMINISTRATION}) AND hook.disabled_by IS NULL
  AND EXISTS (SELECT 1 FROM json_each(hook.events) WHERE value = c.event)
"""

# The facts of a suppression s (``SuppressionFacts``).
SUPPRESSION_FACTS = """
json_object(
  'occurred_at', {now}, 'address', s.address, 'scope', s.scope, 'reason', s.reason,
  'origin', {origin}, 'since', {since}, 'expires_at', s.expires_at
)
"""
