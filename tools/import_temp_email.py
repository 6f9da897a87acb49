"""Convert an export of cloudflare_temp_email into SQL for the database of this service.

    PYTHONPATH=src .venv/bin/python -m tools.import_temp_email old.sql > import.sql

`old.sql` is what `wrangler d1 export` prints. Addresses keep their ids, so their credentials stay
valid if this deployment has the same JWT_SECRET. The converted statements can be repeated: they
change no row that exists. docs/from-cloudflare-temp-email.md says what is not converted.
"""

import argparse
import asyncio
import hashlib
import json
import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from accounts.passwords import is_client_digest, stored_form

# D1 executes statements of at most 100,000 bytes. A character has at most four, and a quotation
# mark is doubled.
_PART_CHARACTERS = 10_000
_MAX_SUBJECT_CHARACTERS = 998

Row = dict[str, Any]


class ImportFromOldError(Exception):
    """The export can't be converted. The message says why."""


def converted(dump: str, *, pepper: str | None, since: datetime) -> Iterator[str]:
    """The SQL statements for the rows in ``dump``.

    :param pepper: PASSWORD_PEPPER of the new deployment.
    :param since: older messages are left out.
    :raises ImportFromOldError: ``dump`` is no export of cloudflare_temp_email.
    """
    with sqlite3.connect(":memory:") as old:
        old.row_factory = sqlite3.Row
        try:
            old.executescript(dump)
            yield from _addresses(_rows(old, "SELECT * FROM address ORDER BY id"), pepper)
            yield from _balances(_rows(old, _BALANCES))
            messages = _rows(old, _MESSAGES, since.strftime("%Y-%m-%d %H:%M:%S"))
            for row in messages:
                yield from _message(row)
        except sqlite3.Error as error:
            raise ImportFromOldError(
                f"This is no export of cloudflare_temp_email: {error}"
            ) from error


_BALANCES = """
SELECT address.id, balance, enabled, address_sender.created_at
FROM address_sender JOIN address ON address.name = address_sender.address
ORDER BY address.id
"""
_MESSAGES = """
SELECT sendbox.id, address.id AS address_id, address, raw, sendbox.created_at
FROM sendbox JOIN address ON address.name = sendbox.address
WHERE sendbox.created_at >= ? ORDER BY sendbox.id
"""


def _rows(old: sqlite3.Connection, sql: str, *parameters: object) -> Iterator[Row]:
    for row in old.execute(sql, parameters):
        yield dict(row)


def _addresses(rows: Iterable[Row], pepper: str | None) -> Iterator[str]:
    for row in rows:
        name = row["name"]
        if name != name.lower():
            _warn(f"{name}: the name becomes lower case, so its credentials become invalid")
        password = str(row.get("password") or "").lower()
        # The old service stores the digest that clients send. Its owner may have set it with a
        # stolen credential, so a rotation removes it.
        is_digest = is_client_digest(password)
        stored = _hashed(password, pepper) if is_digest else None
        yield _insert(
            "addresses",
            id=row["id"],
            name=name.lower(),
            password_hash=stored,
            password_by_owner=int(is_digest),
            source_meta=row.get("source_meta"),
            created_at=_milliseconds(row["created_at"]),
            updated_at=_milliseconds(row.get("updated_at") or row["created_at"]),
        )


def _hashed(digest: str, pepper: str | None) -> str:
    async def derive(password: bytes, salt: bytes, iterations: int) -> bytes:
        return hashlib.pbkdf2_hmac("sha256", password, salt, iterations)

    return asyncio.run(stored_form(digest, pepper=pepper, derive=derive))


def _balances(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        created = _milliseconds(row["created_at"])
        # The old service stores a request for a balance as a disabled balance of 0.
        is_request = not row["balance"] and not row["enabled"]
        yield _insert(
            "send_balances",
            address_id=row["id"],
            balance=max(0, row["balance"]),
            enabled=int(bool(row["enabled"])),
            requested_at=created if is_request else None,
            created_at=created,
        )


def _message(row: Row) -> Iterator[str]:
    try:
        mail = json.loads(row["raw"])
        recipient, subject = mail["to_mail"], mail["subject"]
        content = str(mail.get("content") or "")
    except (ValueError, KeyError, TypeError):
        _warn(f"message {row['id']}: not converted, because its form is too old")
        return
    at = _milliseconds(row["created_at"])
    message_id = _message_id(at, row["id"])
    yield _insert(
        "messages",
        id=message_id,
        address_id=row["address_id"],
        sender=row["address"].lower(),
        sender_name=mail.get("from_name") or None,
        subject=str(subject)[:_MAX_SUBJECT_CHARACTERS],
        size=len(content.encode()) + 1,
        recipients=1,
        charge=0,
        status="sent",
        attempt=1,
        accepted_at=at,
        finished_at=at,
        reported_as="sent",
    )
    yield _insert(
        "deliveries",
        message_id=message_id,
        position=0,
        kind="to",
        address=recipient,
        name=mail.get("to_name") or None,
    )
    yield _insert(
        "events", message_id=message_id, sequence=0, kind="sent", attempt=1, occurred_at=at
    )
    kind = "html" if mail.get("is_html") else "text"
    for part, start in enumerate(range(0, len(content), _PART_CHARACTERS)):
        piece = content[start : start + _PART_CHARACTERS]
        yield _insert("bodies", message_id=message_id, kind=kind, part=part, content=piece)


def _message_id(at: int, old_id: int) -> str:
    """A UUID of version 7 (RFC 9562, section 5.7), the same at each conversion."""
    time = f"{at:012x}"
    return f"{time[:8]}-{time[8:]}-7000-8000-{old_id:012x}"


def _milliseconds(text: str) -> int:
    time = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return int(time.timestamp() * 1000)


def _insert(table: str, **values: object) -> str:
    columns, literals = ", ".join(values), ", ".join(map(_literal, values.values()))
    return f"INSERT INTO {table} ({columns}) VALUES ({literals}) ON CONFLICT DO NOTHING;"


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    # SQLite reads a statement only up to a NUL.
    text = str(value).replace("\0", "\N{REPLACEMENT CHARACTER}").replace("'", "''")
    return f"'{text}'"


def _warn(text: str) -> None:
    print(f"WARNING: {text}", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("export", type=Path, help="the file that `wrangler d1 export` wrote")
    days = "leave out messages that are older than this number of days (default: %(default)s)"
    parser.add_argument("--days", type=int, default=90, help=days)
    given = parser.parse_args()
    since = datetime.now(UTC) - timedelta(days=given.days)
    pepper = os.environ.get("PASSWORD_PEPPER")
    try:
        for statement in converted(given.export.read_text("utf-8"), pepper=pepper, since=since):
            print(statement)
    except (ImportFromOldError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
