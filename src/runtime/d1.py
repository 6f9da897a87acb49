"""The store's ``Database`` on D1. Each batch is one call into JavaScript."""

import re
from functools import cache
from typing import Any

import msgspec
from pyodide.ffi import to_js

from log import log, text_of
from runtime.bridge import bridge
from runtime.coroutines import JsWaiting, result_of
from runtime.limits import check_batch
from runtime.long_texts import long_texts, to_js_texts
from store.database import DatabaseUnavailable, Row, Statement, StatementRejected
from subrequests import Subrequests

_TIMEOUT_MILLISECONDS = 10_000
# Delays before a batch without a response is repeated.
_REPEAT_AFTER_SECONDS = (0.1, 0.4)
# Errors of a batch that D1 has rolled back. A repetition would fail in the same way.
_DEFINITE = re.compile("SQLITE_(ERROR|CONSTRAINT|MISMATCH|RANGE|TOOBIG)")


class _Result(msgspec.Struct):
    rows: list[Row]
    rows_written: int
    size: int | None = None


_decode_results = msgspec.json.Decoder(list[_Result]).decode


class D1Database:
    """D1 during one invocation. ``round_trips`` and ``rows_written`` count its use."""

    def __init__(self, subrequests: Subrequests) -> None:
        self._subrequests = subrequests
        self.round_trips = 0
        self.rows_written = 0
        self.size: int | None = None

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        check_batch(statements)
        count = len(statements)
        self._subrequests.check(count)
        content, texts = _with_parameters_once(statements)
        encoded = to_js(msgspec.json.encode(content)), to_js_texts(texts)
        del content, texts
        try:
            return await self._several_times(encoded, count, repeatable=repeatable)
        finally:
            if encoded[1] is not None:
                bridge().free(encoded[1])

    async def _several_times(
        self, encoded: tuple[Any, Any], count: int, *, repeatable: bool
    ) -> list[list[Row]]:
        for seconds in _REPEAT_AFTER_SECONDS if repeatable else ():
            try:
                return await self._once(encoded, count)
            except DatabaseUnavailable:
                if self._subrequests.left < count:
                    raise
                await JsWaiting().sleep(seconds)
        return await self._once(encoded, count)

    async def _once(self, encoded: tuple[Any, Any], count: int) -> list[list[Row]]:
        self.round_trips += 1
        self._subrequests.count(count)
        try:
            response = await result_of("batch", *encoded, _TIMEOUT_MILLISECONDS)
        except Exception as error:  # also one that Pyodide raises after the call began
            # D1's messages name tables and columns, never bound values, so the log may have them.
            log("d1_error", problem=text_of(error))
            definite = _DEFINITE.search(str(error))
            raise (StatementRejected if definite else DatabaseUnavailable) from error
        results = _results(response)
        self.rows_written += sum(result.rows_written for result in results)
        self.size = results[-1].size if results else None
        return [result.rows for result in results]


@cache  # the statements are few and constant
def _number_of(sql: str) -> int:
    return int(bridge().keepStatement(sql))


def _results(response: Any) -> list[_Result]:
    texts = getattr(response, "texts", None)
    if texts is None:  # the response is JSON
        return _decode_results(response)
    results = _decode_results(response.json)
    for statement, place, column, text in texts:
        results[statement].rows[place][column] = text
    return results


def _with_parameters_once(statements: list[Statement]) -> tuple[dict[str, object], dict[int, str]]:
    # The statements of a batch share long parameters. Each parameter is passed to JavaScript once.
    places: dict[int, int] = {}
    parameters: list[object] = []
    for statement in statements:
        for parameter in statement.parameters:
            if places.setdefault(id(parameter), len(parameters)) == len(parameters):
                parameters.append(parameter)
    texts = long_texts(enumerate(parameters))
    content = {
        "parameters": [None if place in texts else one for place, one in enumerate(parameters)],
        "statements": [
            (_number_of(sql), [places[id(parameter)] for parameter in bound])
            for sql, bound in statements
        ],
    }
    return content, texts
