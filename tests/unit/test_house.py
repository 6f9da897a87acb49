"""The rules of the house, read off the source: who may import, say and do what.

The sections are numbered as the rules that they hold.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.unit.source import ROOT, SRC, TREES, imported, packages, strings

JAVASCRIPT = {"js", "pyodide", "pyodide_js", "workers", "_pyodide_entrypoint_helper"}

every_module = pytest.mark.parametrize("module", TREES)


def modules_in(*places: str) -> pytest.MarkDecorator:
    names = [name for name in TREES if name.startswith(places)]
    assert names, f"there is no module in {places}"
    return pytest.mark.parametrize("module", names)


def modules_outside(*places: str) -> pytest.MarkDecorator:
    names = [name for name in TREES if not name.startswith(places)]
    return pytest.mark.parametrize("module", names)


def names_in(tree: ast.AST) -> set[str]:
    """Every name and attribute in ``tree``."""
    return {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name)
    }


def words_in(tree: ast.AST) -> set[str]:
    """Every identifier in ``tree``, and every word of its texts, docstrings left out."""
    words = {word for text in strings(tree) for word in re.findall(r"\w+", text)}
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.keyword) and node.arg:
            words.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            words.add(node.name)
    return words | names_in(tree)


def test_the_source_is_found() -> None:
    assert {"entry.py", "mail/compose.py", "store/reserve.py", "runtime/d1.py"} <= set(TREES)


# 1. The adapter is at the edge


@modules_outside("runtime/", "entry.py")
def test_only_the_entry_imports_the_runtime(module: str) -> None:
    assert packages(TREES[module]) & {"runtime"} == set()


@modules_outside("runtime/", "entry.py")
def test_only_the_runtime_knows_javascript(module: str) -> None:
    assert packages(TREES[module]) & JAVASCRIPT == set()


def test_the_entry_takes_only_the_entrypoint_from_the_sdk() -> None:
    tree = TREES["entry.py"]
    assert packages(tree) & JAVASCRIPT == {"workers"}
    assert {name for name in imported(tree) if name.startswith("workers.")} == {
        "workers.WorkerEntrypoint"
    }


def test_the_whole_application_imports_in_any_python() -> None:
    modules = [
        name.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        for name in TREES
        if not name.startswith(("runtime/", "entry.py"))
    ]
    program = f"import importlib; [importlib.import_module(name) for name in {modules!r}]"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=SRC, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@modules_outside("runtime/", "entry.py")
def test_no_other_module_reads_env(module: str) -> None:
    assert names_in(TREES[module]) & {"env", "_env", "environ", "getenv"} == set()


def test_the_entry_hands_env_to_the_composition_and_reads_nothing_of_it() -> None:
    tree = TREES["entry.py"]
    reads = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr == "env"]
    handed_over = [
        argument
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "services_of"
        for argument in call.args
    ]
    assert reads != []
    assert all(read in handed_over for read in reads)


# 2. One message, one spelling

# The files that may name a field of messages. A new field costs no more than these.
MOST_FILES = 8
COLUMN_LISTS = re.compile(r"\b(reply_to|headers|tags|attachments)\b")


def test_a_field_of_messages_is_named_in_few_files() -> None:
    naming = [module for module, tree in TREES.items() if "reply_to" in words_in(tree)]
    assert len(naming) <= MOST_FILES, naming


@modules_in("store/")
def test_no_sql_names_a_field_that_it_does_not_filter_by(module: str) -> None:
    found = {word for text in _sql_of(module) for word in COLUMN_LISTS.findall(text)}
    assert found == set()


def test_the_fields_of_a_mail_are_declared_once() -> None:
    """Requests inherit ``MailFields``, and repeat only what differs."""
    repeated = {}
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            bases = {base.id for base in getattr(node, "bases", []) if isinstance(base, ast.Name)}
            if isinstance(node, ast.ClassDef) and bases & {"MailFields", "SeedFields", "SendMail"}:
                fields = {
                    item.target.id
                    for item in node.body
                    if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
                }
                repeated[f"{module}:{node.name}"] = fields & _mail_fields()
    assert {"handlers/send_mail.py:SendMail", "handlers/resend/types.py:NewEmail"} <= set(repeated)
    # The binding calls it replyTo; attachments differ from door to door.
    assert set().union(*repeated.values()) <= {"reply_to", "attachments"}


def _mail_fields() -> set[str]:
    (node,) = (
        node
        for node in TREES["mail/fields.py"].body
        if isinstance(node, ast.ClassDef) and node.name == "MailFields"
    )
    return {
        item.target.id
        for item in node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }


# 3. Few nouns on the spine


def test_the_nouns_of_sending_stand_in_one_file() -> None:
    classes = [n.name for n in TREES["mail/submission.py"].body if isinstance(n, ast.ClassDef)]
    assert classes == ["Submission", "Attempt", "SubmissionResult"]


@modules_in("sending/", "store/reserve.py", "store/claim.py", "store/record/")
def test_no_method_returns_two_kinds_of_results(module: str) -> None:
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
            kinds = {part.strip() for part in ast.unparse(node.returns).split("|")} - {"None"}
            assert len(kinds) <= 1, f"{node.name} returns {kinds}"


@modules_in("sending/", "handlers/send_mail.py", "handlers/resend/", "handlers/admin/send_mail")
def test_results_are_not_told_apart_by_asserting(module: str) -> None:
    asserted = [ast.unparse(n.test) for n in ast.walk(TREES[module]) if isinstance(n, ast.Assert)]
    assert [text for text in asserted if "isinstance" in text] == []


# 4. A provider's words stay in its transport


@modules_outside("transport/", "locales/")
def test_no_other_module_names_a_code_of_the_provider(module: str) -> None:
    source = (SRC / module).read_text("utf-8")
    assert re.findall(r"\bE_[A-Z]{2,}[A-Z_]*", source) == []


# 5. HTTP stays at the doors


@modules_in("sending/", "store/", "mail/", "accounts/")
def test_no_http_status_in_the_domain(module: str) -> None:
    tree = TREES[module]
    assert "http" not in packages(tree)
    numbers = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)} & {
        *(200, 202, 400, 401, 403, 404, 409, 413, 422, 429, 502, 503)
    }
    # Of these numbers 200 also stands for counts.
    assert {number for number in numbers if number != 200} == set()


def test_no_http_status_in_the_schema() -> None:
    schema = "".join(path.read_text("utf-8") for path in (ROOT / "migrations").glob("*.sql"))
    assert "reported_as" in schema
    assert re.findall(r"\b(?:answer_status|http_status|202|502)\b", schema) == []


# 6. One writer of state

_WRITES_STATE = re.compile(
    r"INSERT\s+INTO\s+events\b|UPDATE\s+deliveries\b"
    r"|UPDATE\s+messages\b[^;]*?\bSET\b[^;]*?\b(?:status|attempt|lease_until|next_attempt_at)\s*=",
    re.DOTALL,
)


@modules_outside("store/record/")
def test_only_record_writes_the_state_of_a_message(module: str) -> None:
    writes = [text for text in strings(TREES[module]) if _WRITES_STATE.search(_set_clause(text))]
    assert writes == []


def test_record_writes_the_state() -> None:
    texts = [text for name in TREES if name.startswith("store/record/") for text in _sql_of(name)]
    assert any("INSERT INTO events" in text for text in texts)
    assert any(_WRITES_STATE.search(_set_clause(text)) for text in texts)


def _set_clause(sql: str) -> str:
    # What a WHERE compares with is not written.
    return re.split(r"\bWHERE\b", sql)[0]


# 7. Found by its URL


def _expected_module(path: str) -> str:
    first, _, rest = path.lstrip("/").partition("/")
    name = rest.partition("/")[0]
    match first:
        case "api":
            return name
        case "external":
            return rest.split("/")[1]
        case "admin" | "open_api":
            return f"{first}.{name}"
        case "emails":
            return "resend.emails"
    return first


def test_a_handler_is_in_the_file_that_its_path_names() -> None:
    from routes import ROUTES

    wrong = {
        route.path: route.handler
        for route in ROUTES
        if route.handler.partition(":")[0] != _expected_module(route.path)
    }
    assert wrong == {}


def test_a_module_of_handlers_has_a_route_or_is_a_companion() -> None:
    from routes import ROUTES

    routed = {
        "handlers/" + route.handler.partition(":")[0].replace(".", "/") + ".py" for route in ROUTES
    }
    others = {
        name
        for name in TREES
        if name.startswith("handlers/") and not name.endswith("__init__.py") and name not in routed
    }
    resend = {f"handlers/resend/{name}.py" for name in ("errors", "request", "types", "views")}
    assert others == {"handlers/sendbox_views.py", *resend}


def test_handlers_load_at_their_first_call() -> None:
    assert {name for name in imported(TREES["routes.py"]) if name.startswith("handlers")} == set()


# 8. The API's description comes from the code


def test_the_description_is_not_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text("utf-8").split()
    assert {"/public/openapi.json", "/public/docs.html"} <= set(ignored)


# 9. Who knows whom


@modules_in("mail/", "accounts/")
def test_mail_and_accounts_know_no_store_and_no_http(module: str) -> None:
    others = {"store", "runtime", "transport", "handlers", "web", "sending", "settings", "services"}
    assert packages(TREES[module]) & (JAVASCRIPT | others) == set()


@modules_in("store/", "transport/")
def test_store_and_transport_call_nothing_above_them(module: str) -> None:
    above = {"entry", "application", "routes", "handlers", "web", "sending", "services"}
    assert packages(TREES[module]) & above == set()


@modules_outside("runtime/", "transport/")
def test_only_the_composition_chooses_a_transport(module: str) -> None:
    assert "transport.send_email" not in imported(TREES[module])


@modules_outside("settings.py")
def test_settings_are_read_in_one_place(module: str) -> None:
    assert "settings.read_settings" not in imported(TREES[module])


@every_module
def test_no_module_keeps_state(module: str) -> None:
    """No function assigns to a global; constants and caches of pure functions are none."""
    globals_ = [node for node in ast.walk(TREES[module]) if isinstance(node, ast.Global)]
    assert globals_ == []


_SQL = re.compile(
    r"\s*(SELECT\b|INSERT\s+(OR\s+\w+\s+)?INTO\b|REPLACE\s+INTO\b|UPDATE\s+\w+\s+SET\b"
    r"|DELETE\s+FROM\b|WITH\b.*\bSELECT\b|CREATE\s+(TABLE|INDEX)\b|DROP\b|ALTER\b|PRAGMA\b)",
    re.DOTALL,
)


def _sql_of(module: str) -> Iterator[str]:
    return (text for text in strings(TREES[module]) if re.search(r"\b[A-Z]{4,}\s", text))


@modules_outside("store/")
def test_only_the_store_holds_sql(module: str) -> None:
    assert [text for text in strings(TREES[module]) if _SQL.match(text)] == []


@modules_outside("store/", "runtime/d1.py")
def test_only_the_store_makes_statements(module: str) -> None:
    assert "store.database.Statement" not in imported(TREES[module])


def test_the_store_holds_sql() -> None:
    for module in ("store/reserve.py", "store/record/statuses.py", "store/addresses.py"):
        assert [text for text in strings(TREES[module]) if _SQL.match(text)] != []


def test_no_javascript_holds_sql() -> None:
    words = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE)\b")
    for path in SRC.rglob("*.mjs"):
        assert words.search(path.read_text("utf-8")) is None


def test_no_modules_import_each_other() -> None:
    """There is no circle of imports, those inside of functions included."""
    graph = {
        name.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): imported(tree)
        for name, tree in TREES.items()
    }
    edges = {name: found & graph.keys() - {name} for name, found in graph.items()}
    # A handler is loaded by the name in its route, and errors of Resend's form at the first error.
    edges["application"] -= {"handlers.resend.errors"}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name not in done:
            for other in edges[name]:
                visit(other, (*path, name))
            done.add(name)

    for name in edges:
        visit(name, ())


# Secrets


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


def test_what_compares_secrets_does_it_in_constant_time() -> None:
    for module in ("web/auth.py", "accounts/passwords.py"):
        assert "hmac.compare_digest" in ast.unparse(TREES[module])


# Docstrings


@every_module
def test_every_module_says_what_it_is(module: str) -> None:
    assert ast.get_docstring(TREES[module])


@every_module
def test_every_public_class_and_function_has_a_docstring(module: str) -> None:
    tree = TREES[module]
    # Or its module's docstring explains it by name, as that of errors.py draws its tree.
    explained = set(re.findall(r"\w+", ast.get_docstring(tree) or ""))
    silent = {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if not node.name.startswith("_") and not ast.get_docstring(node)
    }
    assert silent - explained == set()


# Words that the glossary replaces.
_OLD_WORDS = re.compile(
    r"\b(?:hear_out|outlive|wakeups?_on|brake|delivery_news|address_book|balance_book|rehears\w+"
    r"|for good|come to its end|comes to its end|nobody|whoever)\b",
    re.IGNORECASE,
)


@every_module
def test_no_module_uses_a_word_that_the_glossary_replaces(module: str) -> None:
    assert _OLD_WORDS.findall((SRC / module).read_text("utf-8")) == []
