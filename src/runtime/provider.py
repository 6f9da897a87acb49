"""The call into the ``send_email`` binding."""

from typing import Any

import msgspec

from runtime.bridge import bridge


class ProviderError(Exception):
    """The binding threw; ``code`` is the provider's ``E_...`` word where it gave one."""

    def __init__(self, code: str | None) -> None:
        super().__init__(code)
        self.code = code


async def call_send(binding: Any, form: dict[str, Any]) -> str | None:
    """Call ``binding.send(form)`` and return the Message-ID that the provider gave.

    :raises ProviderError: whatever the binding threw.
    """
    message = msgspec.json.encode(form).decode()
    try:
        message_id = await bridge().send(binding, message)
    except Exception as error:  # also what Pyodide itself throws: the call had begun
        code = getattr(error, "code", None)
        raise ProviderError(code if isinstance(code, str) else None) from error
    return message_id if isinstance(message_id, str) else None
