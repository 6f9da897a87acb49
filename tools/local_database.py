"""Read and write a local D1 database from outside the Worker.

The database is an SQLite file in WAL mode. A reader of the file never blocks the Worker, and sees
the Worker's changes at once. Writing the file while the Worker runs is unsafe: workerd does not
wait for locks, so its statements would fail with `SQLITE_BUSY`. Writes therefore go through the
running server.
"""

import contextlib
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests

Value = str | int | float | bytes | None
Row = dict[str, Any]

_DATABASES = "v3/d1/miniflare-D1DatabaseObject"
_STRING_NAME_OR_MARK = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|\?")


class DatabaseError(Exception):
    """A statement failed, or there is no database to run it on."""


def database_file(state: Path) -> Path:
    """The SQLite file of the only D1 database below the state folder."""
    found = [p for p in (state / _DATABASES).glob("*.sqlite") if p.stem != "metadata"]
    if len(found) != 1:
        raise DatabaseError(f"{state} holds {len(found)} local D1 databases; expected one")
    return found[0]


def query_file(
    state: Path, sql: str, params: Sequence[Value] = (), *, read_only: bool
) -> list[Row] | None:
    """Run one statement on the file and return its rows.

    None if `read_only` is true and only the server can run the statement.
    """
    with contextlib.closing(sqlite3.connect(database_file(state), timeout=10)) as connection:
        connection.row_factory = sqlite3.Row
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        try:
            with connection:
                return [dict(row) for row in connection.execute(sql, params)]
        except sqlite3.Error as exc:
            if read_only and _needs_server(exc):
                return None
            raise DatabaseError(f"{exc} in: {sql}") from exc


def _needs_server(error: sqlite3.Error) -> bool:
    """Whether the statement writes, or reads an FTS5 table that is too new for Python's SQLite."""
    return error.sqlite_errorcode == sqlite3.SQLITE_READONLY or "fts5 file format" in str(error)


def query_server(url: str, sql: str, params: Sequence[Value] = ()) -> list[Row]:
    """Run one statement through the local server at `url` on its only D1 database."""
    api = f"{url}/cdn-cgi/local/explorer/api/d1/database"
    databases = _call(api, None)["result"]
    if len(databases) != 1:
        raise DatabaseError(f"{url} has {len(databases)} local D1 databases; expected one")
    statement, texts = inline_params(sql, params)
    response = _call(f"{api}/{databases[0]['uuid']}/raw", {"sql": statement, "params": texts})
    result = response["result"][-1]["results"]
    return [dict(zip(result["columns"], row, strict=True)) for row in result["rows"]]


def inline_params(sql: str, params: Sequence[Value]) -> tuple[str, list[str]]:
    """Replace every parameter that is not text with a literal; return the statement and the texts.

    The local query API binds only text, and in SQLite '5' and 5 are different values.
    """
    remaining = list(params)
    texts: list[str] = []

    def literal(match: re.Match[str]) -> str:
        if match[0] != "?":
            return match[0]
        if not remaining:
            raise DatabaseError(f"too few parameters for: {sql}")
        value = remaining.pop(0)
        if isinstance(value, str):
            texts.append(value)
            return "?"
        if value is None:
            return "NULL"
        if isinstance(value, bytes):
            return f"x'{value.hex()}'"
        return repr(int(value) if isinstance(value, bool) else value)

    statement = _STRING_NAME_OR_MARK.sub(literal, sql)
    if remaining:
        raise DatabaseError(f"too many parameters for: {sql}")
    return statement, texts


def _call(url: str, body: dict[str, Any] | None) -> dict[str, Any]:
    response = requests.request("GET" if body is None else "POST", url, json=body, timeout=30)
    if not response.ok:
        raise DatabaseError(f"{response.text} for: {body}")
    content: dict[str, Any] = response.json()
    return content
