"""The call into the ``send_email`` binding."""

from collections.abc import Awaitable
from typing import Any

import msgspec
from pyodide.ffi import to_js

from runtime.bridge import bridge


class ProviderError(Exception):
    """The binding threw; ``code`` is the provider's ``E_...`` word where it gave one."""

    def __init__(self, code: str | None) -> None:
        super().__init__(code)
        self.code = code


class ProviderSilent(Exception):
    """The binding has not answered in time; ``late`` may still bring what ``call_send`` returns."""

    def __init__(self, late: Awaitable[str | None]) -> None:
        super().__init__()
        self.late = late


async def call_send(
    binding: Any, form: dict[str, Any], contents: list[bytes], *, milliseconds: int
) -> str | None:
    """Call ``binding.send(form)`` and return the Message-ID that the provider gave.

    ``contents`` are those of the attachments in ``form``, one each.

    :raises ProviderError: whatever the binding threw.
    :raises ProviderSilent: when it takes longer than ``milliseconds``.
    """
    message = to_js(msgspec.json.encode(form))
    call = bridge().send(binding, message, to_js(contents), milliseconds)
    answer = await _thrown_as_provider_error(call)
    late = getattr(answer, "late", None)
    if late is not None:
        raise ProviderSilent(_message_id_of(late))
    return _message_id(answer.messageId)


async def _message_id_of(late: Awaitable[Any]) -> str | None:
    return _message_id(await _thrown_as_provider_error(late))


async def _thrown_as_provider_error(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except Exception as error:  # also what Pyodide itself throws: the call had begun
        code = getattr(error, "code", None)
        raise ProviderError(code if isinstance(code, str) else None) from error


def _message_id(value: object) -> str | None:
    return value if isinstance(value, str) else None
