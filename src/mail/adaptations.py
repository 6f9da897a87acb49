"""Adaptations: sentences on what a relay has changed in a mail before it submitted the mail.

They are shown with the message, and are not part of the mail.
"""

from errors import field_error
from mail.characters import has_control

MAX_ADAPTATIONS = 50
MAX_ADAPTATION_CHARACTERS = 200


def read_adaptations(given: list[str] | None) -> tuple[str, ...]:
    """Validate the adaptations of a message; return them in the given order.

    :raises BadRequest: ``adaptations_too_many`` or ``adaptation_invalid``.
    """
    if not given:
        return ()
    if len(given) > MAX_ADAPTATIONS:
        raise field_error("adaptations_too_many", "adaptations", limit=MAX_ADAPTATIONS)
    for index, sentence in enumerate(given):
        if not 1 <= len(sentence) <= MAX_ADAPTATION_CHARACTERS or has_control(sentence):
            limit = MAX_ADAPTATION_CHARACTERS
            raise field_error("adaptation_invalid", f"adaptations[{index}]", limit=limit)
    return tuple(given)
