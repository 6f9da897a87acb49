"""Rules for repeated fields of the message that the relay itself reads."""

from dataclasses import replace

from smtp_relay.message.entity import Entity
from smtp_relay.message.errors import Malformed

# RFC 5322 and RFC 2045 allow each of these only once. The first one that is not empty counts.
_ONCE = {"content-disposition", "content-id", "content-transfer-encoding", "content-type"}
_ONCE |= {"idempotency-key", "message-id", "resend-idempotency-key", "subject"}
# Of several, the relay reads all mailboxes.
_READ = _ONCE | {"from", "reply-to", "sender"}


def with_each_field_once(entity: Entity) -> Entity:
    """``entity`` with each field once that a message has only once.

    :raises Malformed: the relay is strict, and such a field is repeated.
    """
    keys = [field.key for field in entity.fields]
    repeated = {key for key in _READ.intersection(keys) if keys.count(key) > 1}
    if not repeated:
        return entity
    adaptations = entity.adaptations
    with_value = {field.key for field in entity.fields if field.value}
    seen: dict[str, set[bytes]] = {}
    kept = []
    for field in entity.fields:
        if field.key not in repeated:
            kept.append(field)
            continue
        adaptations.add_unnoted(Malformed(f"{field.key.title()} is repeated"))
        values = seen.setdefault(field.key, set())
        if field.value in values or (not field.value and field.key in with_value):
            continue
        if values and field.key in _ONCE:
            adaptations.add("left_out", f"All but the first {field.name} left out", None)
        else:
            kept.append(field)
        values.add(field.value)
    return replace(entity, fields=tuple(kept))
