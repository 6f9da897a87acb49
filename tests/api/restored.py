"""Backups of a database in memory, restored as docs/operations.md says."""

import re

from tests.unit.sqlite_database import SqliteDatabase
from tools.prepare import ROOT

_AFTER_RESTORE = (ROOT / "tools" / "after_restore.sql").read_text("utf-8")
_OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")


def backup(database: SqliteDatabase, *, has_texts: bool) -> SqliteDatabase:
    """A restored copy of ``database``, made by Time Travel or from an export.

    :param has_texts: True for Time Travel, which restores all tables. An export has no texts.
    """
    copy = database.copy() if has_texts else _exported(database)
    copy.script(_AFTER_RESTORE)
    return copy


def _exported(database: SqliteDatabase) -> SqliteDatabase:
    """A new database with the tables that the documented export contains."""
    (command,) = re.findall(r"d1 export .*?--table ((?:\w+|\s|\\)+)", _OPERATIONS)
    copy, rows = SqliteDatabase(), database.dump()
    for table in command.replace("\\", " ").split():
        for row in rows[table]:
            copy.insert(table, **row)
    return copy
