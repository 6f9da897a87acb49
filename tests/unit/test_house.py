"""The rules of the house, read off the source: who may import, say and do what."""

import ast
import re

import pytest

from tests.unit.source import SRC, TREES, imported, packages, strings

JAVASCRIPT = {"js", "pyodide", "pyodide_js", "workers", "_pyodide_entrypoint_helper"}

every_module = pytest.mark.parametrize("module", TREES)
every_pure_module = pytest.mark.parametrize(
    "module", [name for name in TREES if name.startswith(("api/", "mail/", "accounts/"))]
)


def modules_outside(*places: str) -> pytest.MarkDecorator:
    names = [name for name in TREES if not name.startswith(places)]
    return pytest.mark.parametrize("module", names)


def test_the_source_is_found() -> None:
    assert {"entry.py", "mail/compose.py", "store/reserve.py", "runtime/d1.py"} <= set(TREES)


# Who imports what


@every_pure_module
def test_api_mail_and_accounts_run_in_any_python(module: str) -> None:
    others = {"store", "runtime", "transport", "handlers", "settings", "setting_parsers", "answers"}
    assert packages(TREES[module]) & (JAVASCRIPT | others) == set()


@modules_outside("runtime/", "entry.py")
def test_only_the_runtime_knows_javascript(module: str) -> None:
    assert packages(TREES[module]) & JAVASCRIPT == set()


def test_the_entry_takes_only_the_entrypoint_from_the_sdk() -> None:
    tree = TREES["entry.py"]
    assert packages(tree) & JAVASCRIPT == {"workers"}
    assert {name for name in imported(tree) if name.startswith("workers.")} == {
        "workers.WorkerEntrypoint"
    }


@modules_outside("runtime/bindings.py", "transport/")
def test_only_a_transport_is_imported_to_send(module: str) -> None:
    assert "transport.send_email" not in imported(TREES[module])


@modules_outside("transport/")
def test_only_a_transport_calls_the_provider(module: str) -> None:
    assert "runtime.provider" not in imported(TREES[module])


@modules_outside("runtime/", "entry.py")
def test_only_the_runtime_crosses_the_bridge(module: str) -> None:
    assert "runtime.bridge" not in imported(TREES[module])


@pytest.mark.parametrize(
    "module", [name for name in TREES if name.startswith(("store/", "transport/"))]
)
def test_nothing_calls_back_up(module: str) -> None:
    above = {"entry", "application", "routes", "guards", "handlers", "call", "delivery", "answers"}
    assert packages(TREES[module]) & above == set()


@modules_outside("runtime/bindings.py")
def test_settings_are_read_in_one_place(module: str) -> None:
    assert "settings.read_settings" not in imported(TREES[module])


@modules_outside("runtime/bindings.py", "entry.py")
def test_nobody_else_reads_env(module: str) -> None:
    names = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Attribute | ast.Name)
    }
    assert names & {"env", "_env", "environ", "getenv"} == set()


def test_the_entry_hands_env_to_the_bindings_and_looks_no_further() -> None:
    tree = TREES["entry.py"]
    reads = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr == "env"]
    handed_over = [
        argument
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Bindings"
        for argument in call.args
    ]
    assert reads != []
    assert all(read in handed_over for read in reads)


# Secrets


@pytest.mark.contract("guards: Secrets are compared in constant time")
@every_module
def test_secrets_are_compared_in_constant_time(module: str) -> None:
    secrets = {"passwords", "admin_passwords", "jwt_secret", "jwt_secrets", "password_pepper"}
    compared = {
        name.attr
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Compare)
        for name in ast.walk(node)
        if isinstance(name, ast.Attribute)
    }
    assert compared & secrets == set()


@pytest.mark.contract("guards: Secrets are compared in constant time")
def test_what_compares_secrets_does_it_in_constant_time() -> None:
    for module in ("guards.py", "accounts/passwords.py", "handlers/admin/administrator.py"):
        assert "hmac.compare_digest" in ast.unparse(TREES[module])


# Where SQL stands

_SQL = re.compile(
    r"\s*(SELECT\b|INSERT\s+(OR\s+\w+\s+)?INTO\b|REPLACE\s+INTO\b|UPDATE\s+\w+\s+SET\b"
    r"|DELETE\s+FROM\b|WITH\b.*\bSELECT\b|CREATE\s+(TABLE|INDEX)\b|DROP\b|ALTER\b|PRAGMA\b)",
    re.DOTALL,
)


@modules_outside("store/")
def test_only_the_store_holds_sql(module: str) -> None:
    assert [text for text in strings(TREES[module]) if _SQL.match(text)] == []


@modules_outside("store/", "runtime/d1.py")
def test_only_the_store_makes_statements(module: str) -> None:
    assert "store.database.Statement" not in imported(TREES[module])


def test_the_store_holds_sql() -> None:
    for module in ("store/reserve.py", "store/confirm.py", "store/addresses.py"):
        assert [text for text in strings(TREES[module]) if _SQL.match(text)] != []


def test_no_javascript_holds_sql() -> None:
    words = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE)\b")
    for path in SRC.rglob("*.mjs"):
        assert words.search(path.read_text("utf-8")) is None


# Docstrings


def _is_handler(node: ast.AST) -> bool:
    """A handler is described by its module, which names its method and path."""
    return isinstance(node, ast.AsyncFunctionDef) and [a.arg for a in node.args.args] == ["call"]


@every_module
def test_every_module_says_what_it_is(module: str) -> None:
    assert ast.get_docstring(TREES[module])


@every_module
def test_every_public_class_and_function_has_a_docstring(module: str) -> None:
    tree = TREES[module]
    # Or its module's docstring explains it by name, as that of refusals.py draws its tree.
    explained = set(re.findall(r"\w+", ast.get_docstring(tree) or ""))
    silent = {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if not node.name.startswith("_") and not ast.get_docstring(node) and not _is_handler(node)
    }
    assert silent - explained == set()
