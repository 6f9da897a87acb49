"""D1 behind the store's ``Database``: one crossing into JavaScript a batch, counted."""

import asyncio
from typing import Any

import msgspec
from pyodide.ffi import JsException

from runtime.bridge import bridge
from runtime.limits import check_statement, check_subrequests
from runtime.log import log
from store.database import DatabaseUnavailable, Row, Statement

_ANSWER_SECONDS = 10
_REPEATS = 2


class _Result(msgspec.Struct):
    rows: list[Row]
    rows_written: int


_decode_results = msgspec.json.Decoder(list[_Result]).decode


class D1Database:
    """One request's way to D1; ``round_trips`` and ``rows_written`` are what it has cost."""

    def __init__(self, binding: Any) -> None:
        self._binding = binding
        self._statements = 0
        self.round_trips = 0
        self.rows_written = 0

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        for statement in statements:
            check_statement(statement.sql, statement.parameters)
        encoded = msgspec.json.encode(statements).decode()
        for repeats_left in reversed(range(1 + _REPEATS if repeatable else 1)):
            self._statements += len(statements)
            check_subrequests(self._statements)
            self.round_trips += 1
            try:
                answer = await asyncio.wait_for(
                    bridge().batch(self._binding, encoded), _ANSWER_SECONDS
                )
            except (JsException, TimeoutError) as error:
                # D1's messages name tables and columns, never the values that were bound.
                log("d1_error", problem=str(error), repeats_left=repeats_left)
                if not repeats_left:
                    raise DatabaseUnavailable from error
            else:
                results = _decode_results(answer)
                self.rows_written += sum(result.rows_written for result in results)
                return [result.rows for result in results]
        raise AssertionError("the last try returns or raises")
