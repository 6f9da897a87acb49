"""The call of the ``send_email`` binding."""

from collections.abc import Awaitable
from typing import Any

import msgspec
from pyodide.ffi import to_js

from runtime.bridge import bridge
from transport.send_email import ProviderError, ProviderTimeout


class SendEmailBinding:
    """The binding as ``transport.send_email`` uses it."""

    def __init__(self, binding: Any) -> None:
        self._binding = binding

    async def send(
        self, form: dict[str, Any], contents: list[bytes], *, milliseconds: int
    ) -> str | None:
        """Call ``binding.send(form)`` and return the Message-ID that the provider assigned.

        :param contents: the contents of the attachments in ``form``, in the same order.
        :raises ProviderError: the binding threw an exception.
        :raises ProviderTimeout: no response within ``milliseconds``.
        """
        message = to_js(msgspec.json.encode(form))
        call = bridge().send(self._binding, message, to_js(contents), milliseconds)
        response = await _raising_provider_error(call)
        late = getattr(response, "late", None)
        if late is not None:
            raise ProviderTimeout(_message_id_of(late))
        return _message_id(response.messageId)


async def _message_id_of(late: Awaitable[Any]) -> str | None:
    return _message_id(await _raising_provider_error(late))


async def _raising_provider_error(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except Exception as error:  # also an exception of Pyodide itself: the call had begun
        code = getattr(error, "code", None)
        raise ProviderError(code if isinstance(code, str) else None) from error


def _message_id(value: object) -> str | None:
    return value if isinstance(value, str) else None
