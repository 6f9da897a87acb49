"""The guides name error codes, settings and limits that exist."""

import re

import pytest

from handlers.resend.types import MAX_BATCH
from mail import attachments, headers, limits, mailbox, schedule, tags
from settings import DECLARED, Settings
from tests.unit.source import ROOT
from tools.error_catalogue import ERRORS

DOCS = {path.stem: path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md")}
SETTINGS = {field.name.upper(): getattr(Settings(), field.name) for field in DECLARED}
CODES = {name.partition(".")[0] for name in ERRORS}


def rows(page: str) -> list[list[str]]:
    lines = [line for line in DOCS[page].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def words(text: str) -> set[str]:
    return {*re.findall(r"`([^`\n]+)`", text)}


def test_troubleshooting_names_only_codes_that_exist() -> None:
    named = {word for row in rows("troubleshooting") for word in words(row[0])}
    statuses = {word for word in named if word in DOCS["delivery"] + DOCS["reliability"]}
    codes = {word for word in named - statuses if re.fullmatch(r"[a-z_]+|E_[A-Z_]+", word)}
    assert {code for code in codes if not code.startswith("E_")} <= CODES
    documented = words(DOCS["errors"])
    assert {code for code in codes if code.startswith("E_")} <= documented


def test_the_limits_name_only_codes_and_settings_that_exist() -> None:
    for row in rows("limits"):
        for word in words(" ".join(row)):
            if re.fullmatch(r"[a-z]+_[a-z_]+", word):
                assert word in CODES
            if re.fullmatch(r"[A-Z]+_[A-Z_]+", word) and word not in ("RATE_LIMITER", "E_…"):
                assert word in SETTINGS


@pytest.mark.parametrize(
    ("what", "number"),
    [
        ("recipients in to, cc and bcc together", limits.MAX_RECIPIENTS),
        ("subject", limits.MAX_SUBJECT_CHARACTERS),
        ("display name", mailbox.MAX_NAME_CHARACTERS),
        ("attachments", attachments.MAX_ATTACHMENTS),
        ("filename of an attachment", attachments.MAX_FILENAME_BYTES),
        ("headers that do not begin with `X-`", headers.MAX_HEADERS),
        ("value of a header", headers.MAX_VALUE_BYTES),
        ("tags", tags.MAX_TAGS),
        ("schedule", schedule.MAX_DAYS_AHEAD),
        ("messages in a batch", MAX_BATCH),
    ],
)
def test_the_limits_are_those_of_the_code(what: str, number: int) -> None:
    (limit,) = (row[1] for row in rows("limits") if row[0] == what)
    assert limit.split()[0].replace(",", "").rstrip(",") == str(number)


def test_the_defaults_are_those_of_the_settings() -> None:
    seen = 0
    for row in rows("limits"):
        names = words(row[2]) & {*SETTINGS} if len(row) == 4 else set()
        first = re.match(r"[\d,]+", row[1]) if len(row) > 1 else None
        if len(names) == 1 and first:
            default = SETTINGS[names.pop()]
            if isinstance(default, int) and default:
                seen += 1
                number = int(first[0].replace(",", ""))
                assert number in (default, default // 1_000_000), row
    assert seen >= 6


def test_the_migration_names_settings_of_this_service() -> None:
    section = DOCS["from-cloudflare-temp-email"].partition("## Settings")[2]
    same = words(section.partition(", and the bindings")[0]) - {"smtp"}
    assert same <= {*SETTINGS}
    assert len(same) > 20
