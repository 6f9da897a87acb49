"""The catalogues: every language has the same codes and placeholders, and all codes in use."""

import ast
import re
from collections.abc import Iterator
from string import Formatter
from typing import NamedTuple

import pytest

import errors
from locales import CATALOGUES, sentence
from settings import LANGUAGES
from tests.unit.source import TREES, codes_in_sql, strings

ENGLISH = CATALOGUES["en"]

# By name of a callable: the position of the error code among its arguments.
_CONSTRUCTORS = {
    **{
        name: 0
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.ApiError)
    },
    "FieldError": 1,
    "InvalidAddress": 0,
    "InvalidName": 0,
    "Term": 0,
    "field_error": 0,
    "invalid_input": 0,
}
del _CONSTRUCTORS["MethodNotAllowed"]  # it always has the same code


class Use(NamedTuple):
    """A use of the sentence ``code`` in ``file``, with these ``values``.

    ``code`` is a regular expression, because some codes are composed. ``values`` is None if the
    call does not list them.
    """

    file: str
    line: int
    code: str
    values: frozenset[str] | None


def _texts(expression: ast.expr) -> Iterator[str]:
    """Regular expressions for the texts of ``expression``. ``[a-z_]+`` is an unknown part."""
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        yield re.escape(expression.value)
    elif isinstance(expression, ast.IfExp):
        yield from _texts(expression.body)
        yield from _texts(expression.orelse)
    elif isinstance(expression, ast.JoinedStr):
        parts = [next(_texts(part), "[a-z_]+") for part in expression.values]
        yield "".join(parts)


def _positions(tree: ast.AST) -> dict[str, int]:
    """By name of a callable: the position of the error code among its arguments.

    The callables are the error classes, and functions of ``tree`` with a parameter ``code``.
    """
    helpers = {
        node.name: [argument.arg for argument in node.args.args].index("code")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("__")
        if any(argument.arg == "code" for argument in node.args.args)
    }
    return {**_CONSTRUCTORS, **helpers}


def _values(call: ast.Call, name: str) -> frozenset[str] | None:
    if name == "FieldError":
        if len(call.args) < 3 and not call.keywords:
            return frozenset()
        given = call.args[2] if len(call.args) > 2 else None
        if isinstance(given, ast.Dict):
            return frozenset(str(key.value) for key in given.keys if isinstance(key, ast.Constant))
        return None
    if any(keyword.arg is None for keyword in call.keywords):
        return None
    return frozenset(keyword.arg or "" for keyword in call.keywords)


def _uses_in(file: str, tree: ast.AST) -> Iterator[Use]:
    positions = _positions(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        sentences = [keyword.value for keyword in node.keywords if keyword.arg == "sentence"]
        if name == "prefixed":
            codes = node.args[:1]
            values: frozenset[str] | None = frozenset()
        elif name in positions:
            codes = sentences or node.args[positions[name] : positions[name] + 1]
            values = _values(node, name)
        else:
            continue
        for code in codes:
            for text in _texts(code):
                yield Use(file, node.lineno, text, values)


def _reported_by_sql() -> Iterator[Use]:
    for file, tree in TREES.items():
        for code in codes_in_sql(tree):
            yield Use(file, 0, code, None)


USES = [use for file, tree in TREES.items() for use in _uses_in(file, tree)]
USES += _reported_by_sql()


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_every_language_has_a_catalogue() -> None:
    assert set(CATALOGUES) == set(LANGUAGES)


@pytest.mark.contract("errors: The English and Chinese catalogues are complete")
@pytest.mark.parametrize("language", CATALOGUES)
def test_every_catalogue_has_the_codes_of_the_english_one(language: str) -> None:
    assert set(CATALOGUES[language]) == set(ENGLISH)


@pytest.mark.contract("errors: The English and Chinese catalogues are complete")
@pytest.mark.parametrize("code", ENGLISH)
def test_every_language_has_the_placeholders_of_the_english_sentence(code: str) -> None:
    for catalogue in CATALOGUES.values():
        assert placeholders(catalogue[code]) == placeholders(ENGLISH[code])


@pytest.mark.parametrize("code", ENGLISH)
def test_every_sentence_is_one_line(code: str) -> None:
    for catalogue in CATALOGUES.values():
        assert catalogue[code].strip()
        assert catalogue[code].isprintable()


def test_the_walk_through_the_source_finds_codes() -> None:
    found = {use.code for use in USES}
    assert {"no_balance", "subject_empty", "failed_to_send", "invalid_credential"} <= found
    assert {"already_retried", "monthly_quota_reached"} <= {use.code for use in _reported_by_sql()}
    assert len(found) > 40


@pytest.mark.contract("errors: Every code comes from one stable list and has a sentence")
@pytest.mark.parametrize("use", USES, ids=lambda use: f"{use.file}:{use.line} {use.code}")
def test_every_raised_code_has_a_sentence(use: Use) -> None:
    assert [code for code in ENGLISH if re.fullmatch(use.code, code)] != []


@pytest.mark.parametrize(
    "use",
    [use for use in USES if use.values is not None and use.code in ENGLISH],
    ids=lambda use: f"{use.file}:{use.line} {use.code}",
)
def test_every_placeholder_is_given_a_value(use: Use) -> None:
    assert placeholders(ENGLISH[use.code]) <= (use.values or set())


def test_every_sentence_is_used() -> None:
    written = {
        text
        for file, tree in TREES.items()
        if not file.startswith("locales/")
        for text in strings(tree)
    }
    patterns = {use.code for use in USES}
    unused = {
        code
        for code in ENGLISH.keys() - written
        if not any(re.fullmatch(pattern, code) for pattern in patterns)
    }
    # The source does not name the provider's codes: a sentence is looked up by the received code.
    assert {code for code in unused if not code.startswith("E_")} == set()


@pytest.mark.contract("errors: Every code comes from one stable list and has a sentence")
def test_a_code_is_a_snake_case_word_or_the_providers() -> None:
    assert [code for code in ENGLISH if not re.fullmatch(r"[a-z_]+|E_[A-Z_]+", code)] == []


@pytest.mark.contract("errors: Fixed sentences match the contract verbatim")
@pytest.mark.parametrize(
    ("code", "values", "text"),
    [
        ("invalid_credential", {}, "Invalid address credential"),
        (
            "site_password_required",
            {},
            "You have enabled the private site password, please provide the password",
        ),
        (
            "admin_password_required",
            {},
            "You need to provide the admin password to access this page",
        ),
        ("new_address_disabled", {}, "New address is disabled, please contact the administrator"),
        (
            "anonymous_new_address_disabled",
            {},
            "New address for anonymous user is disabled, please contact the administrator",
        ),
        ("failed_to_create", {}, "Failed to create address: "),
        ("address_name_too_short", {"minimum": 3}, "Name is too short (min 3)"),
        ("address_name_too_long", {"maximum": 30}, "Name is too long (max 30)"),
        ("address_name_no_match", {"pattern": "^a"}, "Name not match regex: /^a/"),
        ("address_name_blocked", {"name": "x"}, "Name[x]is blocked"),
        ("invalid_domain", {}, "Invalid domain"),
        ("address_exists", {}, "Address already exists"),
        ("required_field_missing", {}, "Required field is missing"),
        ("failed_to_send", {}, "Failed to send mail "),
        ("invalid_recipient", {}, "Invalid recipient address"),
        ("subject_empty", {}, "Subject is empty"),
        ("content_empty", {}, "Content is empty"),
        ("send_mail_not_enabled", {}, "Please enable SEND_MAIL for this domain first"),
        ("no_balance", {}, "No balance"),
        ("address_blocked", {}, "Address is blocked"),
        ("daily_quota_reached", {}, "Server daily send quota has been reached"),
        ("monthly_quota_reached", {}, "Server monthly send quota has been reached"),
        (
            "client_rate_exceeded",
            {"path": "/api/new_address"},
            "Rate limit exceeded for /api/new_address",
        ),
        ("human_verification_failed", {}, "Human verification check failed"),
        ("password_login_disabled", {}, "Password login is disabled"),
        ("password_change_disabled", {}, "Password change is disabled"),
        ("invalid_login", {}, "Invalid email or password"),
        ("invalid_limit", {}, "Invalid limit"),
        ("invalid_offset", {}, "Invalid offset"),
        ("already_requested", {}, "Already requested"),
        (
            "user_delete_disabled",
            {},
            "User delete address/email is disabled, please contact the administrator",
        ),
        ("invalid_address_id", {}, "Invalid address_id"),
        ("binding_not_enabled", {}, "Please enable SEND_MAIL first"),
    ],
)
def test_the_contracts_sentences_are_exact(code: str, values: dict[str, object], text: str) -> None:
    assert sentence(code, "en", values) == text
