"""Call the ``send_email`` binding."""

from collections.abc import Awaitable
from typing import Any

import msgspec
from pyodide.ffi import JsException, to_js

from runtime.coroutines import result_of
from runtime.long_texts import long_texts, to_js_texts
from subrequests import Subrequests
from transport.outcome import LATE_SECONDS
from transport.send_email import ProviderError, ProviderTimeout


class SendEmailBinding:
    """Implements the protocol ``Binding`` of ``transport/send_email.py``."""

    def __init__(self, subrequests: Subrequests) -> None:
        self._subrequests = subrequests

    async def send(
        self, form: dict[str, Any], contents: list[bytes], *, milliseconds: int
    ) -> str | None:
        self._subrequests.count()
        texts = long_texts(form.items())
        others = {name: value for name, value in form.items() if name not in texts}
        call = result_of(
            "send",
            to_js(msgspec.json.encode(others)),
            to_js_texts(texts),
            to_js(contents),
            milliseconds,
        )
        response = await _raising_provider_error(call)
        late = getattr(response, "late", None)
        if late is not None:
            raise ProviderTimeout(_message_id_of(late))
        return _message_id(response.messageId)


async def _message_id_of(late: Any) -> str | None:
    return _message_id(
        await _raising_provider_error(result_of("lateResponse", late, LATE_SECONDS * 1000))
    )


async def _raising_provider_error(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except Exception as error:  # also one that Pyodide raises after the call began
        code = getattr(error, "code", None)
        raise ProviderError(code if isinstance(code, str) else None, _kind(error)) from error


def _kind(error: Exception) -> str:
    # The name of a JavaScript error is usually the name of its class, but it can be any text. Only
    # an identifier is logged.
    name = str(getattr(error, "name", "")) if isinstance(error, JsException) else ""
    return name if name.isidentifier() else type(error).__name__


def _message_id(value: object) -> str | None:
    return value if isinstance(value, str) else None
