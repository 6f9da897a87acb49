"""The design rules, checked on the source.

Each numbered section has the tests of one rule.
"""

import ast
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from tests.unit.source import (
    ROOT,
    SRC,
    TREES,
    Rule,
    each_of,
    imported,
    names_in,
    packages,
    state_kept,
    strings,
    whole_texts,
)

# Only the tests themselves import the application, not this module. So the test of a rule still
# reports a violation that prevents the import.

SCHEMA = "".join(path.read_text("utf-8") for path in (ROOT / "migrations").glob("*.sql"))

JAVASCRIPT = {"js", "pyodide", "pyodide_js", "workers", "_pyodide_entrypoint_helper"}

every_module = each_of(TREES)


def modules_in(*places: str) -> Callable[[Rule], Callable[[], None]]:
    names = [name for name in TREES if name.startswith(places)]
    assert names, f"there is no module in {places}"
    return each_of(names)


def modules_outside(*places: str) -> Callable[[Rule], Callable[[], None]]:
    return each_of(name for name in TREES if not name.startswith(places))


def words_in(tree: ast.AST) -> set[str]:
    """Every identifier in ``tree``, and every word of its strings except docstrings."""
    words = {word for text in strings(tree) for word in re.findall(r"\w+", text)}
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.keyword) and node.arg:
            words.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            words.add(node.name)
    return words | names_in(tree)


def test_the_source_is_found() -> None:
    assert {"entry.py", "mail/compose.py", "store/reserve.py", "runtime/d1.py"} <= set(TREES)


@every_module
def test_imports_are_absolute(module: str) -> None:
    # The rules below compare absolute names of modules.
    relative = [n for n in ast.walk(TREES[module]) if isinstance(n, ast.ImportFrom) and n.level]
    assert relative == []


@modules_outside("routes.py")
def test_only_the_routes_import_by_name(module: str) -> None:
    tree = TREES[module]
    assert {name.partition(".")[0] for name in imported(tree)} & {"importlib", "runpy"} == set()
    assert names_in(tree) & {"import_module", "__import__", "exec", "eval"} == set()


# 1. The adapter is at the edge


@modules_outside("runtime/", "entry.py")
def test_only_the_entry_imports_the_runtime(module: str) -> None:
    assert packages(TREES[module]) & {"runtime"} == set()


@modules_outside("runtime/", "entry.py")
def test_only_the_runtime_knows_javascript(module: str) -> None:
    assert packages(TREES[module]) & JAVASCRIPT == set()


def test_the_entry_takes_only_the_entrypoint_from_the_sdk() -> None:
    imports = [
        ast.unparse(node)
        for node in ast.walk(TREES["entry.py"])
        if isinstance(node, ast.Import | ast.ImportFrom) and packages(node) & JAVASCRIPT
    ]
    assert imports == ["from workers import WorkerEntrypoint"]


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
    tree, forbidden = TREES[module], {"env", "_env", "environ", "getenv"}
    assert names_in(tree) & forbidden == set()
    assert set(strings(tree)) & forbidden == set()
    assert {name.rpartition(".")[2] for name in imported(tree)} & forbidden == set()


def test_the_entry_reads_nothing_of_its_environment() -> None:
    names = {n.attr for n in ast.walk(TREES["entry.py"]) if isinstance(n, ast.Attribute)}
    assert names & {"env", "_env", "ctx"} == set()


# 2. Each field of a message is declared once

# The maximum number of files that name one field of messages, besides the transports: each of them
# sends every field.
MOST_FILES = 7


def _declared_fields(module: str, struct: str) -> set[str]:
    (node,) = (n for n in TREES[module].body if isinstance(n, ast.ClassDef) and n.name == struct)
    return {
        item.target.id
        for item in node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }


# The lists of messages have a filter by tag.
_DETAIL = re.compile(
    rf"\b(?:{'|'.join(_declared_fields('mail/message.py', 'MessageDetails') - {'tags'})})\b"
)


def test_a_field_of_messages_is_named_in_few_files() -> None:
    naming = [module for module, tree in TREES.items() if "reply_to" in words_in(tree)]
    naming = [module for module in naming if not module.startswith("transport/")]
    assert len(naming) <= MOST_FILES, naming


@modules_in("store/")
def test_no_sql_names_a_field_that_it_does_not_filter_by(module: str) -> None:
    assert [text for text in strings(TREES[module]) if _DETAIL.search(text)] == []


def test_no_column_has_a_field_that_sql_does_not_filter_by() -> None:
    statements = re.sub(r"--.*", "", SCHEMA)
    assert "details TEXT" in statements
    assert _DETAIL.findall(statements) == []


# The fields that a request declares itself: those that its API spells differently, such as the
# sender, and those that it must reject. Any other field of a request belongs to MailFields, or to
# SubmissionFields if the provider's binding has no such field.
_OWN_FIELDS = {
    "SubmissionFields": {"tags", "scheduled_at"},
    "SendMail": {"from_name", "to_mail", "to_name", "content", "is_html", "adaptations"},
    "SendMailWithToken": {"token"},
    "AdminSendMail": {"from_mail"},
    "BindingMail": {"sender"},
    "NewEmail": {"sender", "template", "topic_id"},
}


def test_the_fields_of_a_mail_are_declared_once() -> None:
    """Requests inherit ``MailFields``, and repeat only what differs."""
    load_operations()
    from mail.fields import MailFields

    declared = {kind.__name__: {*kind.__annotations__} for kind in _subclasses(MailFields)}
    common = _declared_fields("mail/fields.py", "MailFields")
    assert {name: fields - common for name, fields in declared.items()} == _OWN_FIELDS
    # The binding spells reply_to as replyTo, and the attachments of the APIs differ.
    assert set().union(*declared.values()) & common <= {"reply_to", "attachments"}


def test_every_request_that_sends_inherits_the_fields_of_a_mail() -> None:
    from mail.fields import MailFields

    bodies = [operation.body.type for operation in load_operations() if operation.body]
    sending = [
        kind
        for kind in bodies
        if isinstance(kind, type)
        and {"subject", "html"} & {*getattr(kind, "__struct_fields__", ())}
    ]
    assert len(sending) == 5
    assert [kind for kind in sending if not issubclass(kind, MailFields)] == []


def _subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def load_operations() -> tuple[Any, ...]:
    """The operations of the API. The import loads every handler."""
    from tools.openapi.operations import OPERATIONS

    return OPERATIONS


# 3. Few classes between a request and its result


def test_the_classes_of_sending_are_in_one_file() -> None:
    classes = [n.name for n in TREES["mail/submission.py"].body if isinstance(n, ast.ClassDef)]
    assert classes == ["Submission", "Attempt", "SubmissionResult"]


# The dispatcher, the parameters and the result of reserving, and what is recorded.
_OTHER_CLASSES = {"Dispatcher", "Terms", "Reserved", "StatusUpdate"}

every_sending_module = modules_in("sending/", "store/reserve.py", "store/claim.py", "store/record/")


@every_sending_module
def test_sending_has_no_other_class(module: str) -> None:
    classes = {node.name for node in ast.walk(TREES[module]) if isinstance(node, ast.ClassDef)}
    assert classes - _OTHER_CLASSES == set()


@every_sending_module
def test_no_method_returns_two_kinds_of_results(module: str) -> None:
    tree = TREES[module]
    unions = {
        name.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and " | " in ast.unparse(node)
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
            written = ast.unparse(node.returns).strip("'")
            kinds = {part.strip() for part in written.split("|")} - {"None"}
            assert len(kinds) <= 1, f"{node.name} returns {kinds}"
            assert not kinds & {"Any", "object", *unions}, f"{node.name} returns {kinds}"


def test_no_boolean_passes_through_the_layers() -> None:
    taken = [
        argument.arg
        for module in TREES
        if module.startswith(("sending/", "store/reserve", "store/claim", "store/record/"))
        for argument in ast.walk(TREES[module])
        if isinstance(argument, ast.arg) and argument.annotation
        if "bool" in ast.unparse(argument.annotation)
    ]
    assert [name for name in {*taken} if taken.count(name) > 2] == []


@modules_in("sending/", "handlers/send_mail.py", "handlers/resend/", "handlers/admin/send_mail")
def test_results_are_not_distinguished_by_asserts(module: str) -> None:
    tree = TREES[module]
    asserted = [ast.unparse(n.test) for n in ast.walk(tree) if isinstance(n, ast.Assert)]
    assert [text for text in asserted if "isinstance" in text] == []
    calls = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    apart = re.compile(r"cast\(|isinstance\(\w+, .*\b(?:list|tuple|SubmissionResult)\b")
    assert [text for text in calls if apart.match(text)] == []


# 4. A provider's words stay in its transport


@modules_outside("transport/", "locales/")
def test_no_other_module_names_a_code_of_the_provider(module: str) -> None:
    source = (SRC / module).read_text("utf-8")
    assert re.findall(r"\bE_[A-Z]{2,}[A-Z_]*", source) == []
    assert [text for text in strings(TREES[module]) if re.search(r"\be_", text, re.I)] == []


def test_neither_javascript_nor_the_schema_names_a_code_of_the_provider() -> None:
    texts = [SCHEMA, *(path.read_text("utf-8") for path in SRC.rglob("*.mjs"))]
    assert len(texts) > 1
    assert [text for text in texts if re.search(r"\bE_[A-Z]", text)] == []


@modules_outside("transport/")
def test_no_other_module_compares_the_code_of_the_provider(module: str) -> None:
    compared = [
        ast.unparse(node)
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Compare) and "provider_code" in names_in(node) | {*strings(node)}
    ]
    assert compared == []


# 5. HTTP stays out of sending/, store/, mail/ and accounts/

# 100, 200 and the numbers in _COUNTS have other meanings than a status.
_STATUSES = {str(int(status)) for status in HTTPStatus} - {"100", "200"}
_COUNTS = {
    "sending/submission.py": {"300"},
    "store/removal.py": {"500"},
    "store/waiting.py": {"500"},
}


@modules_in("sending/", "store/", "mail/", "accounts/")
def test_no_http_status_in_the_domain(module: str) -> None:
    tree = TREES[module]
    assert "http" not in packages(tree)
    numbers = {str(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    numbers |= {number for text in strings(tree) for number in re.findall(r"\b\d{3}\b", text)}
    assert numbers & _STATUSES - _COUNTS.get(module, set()) == set()


@modules_in("sending/")
def test_sending_imports_no_handlers(module: str) -> None:
    tree = TREES[module]
    assert packages(tree) & {"entry", "application", "routes", "handlers"} == set()
    # Sending may read the request's context and report rate limits, but it makes no responses.
    web = {name for name in imported(tree) if name.startswith("web.")}
    assert {name.split(".")[1] for name in web} <= {"context", "rate_limit_headers"}


def test_no_http_status_in_the_schema() -> None:
    assert "reported_as" in SCHEMA
    names = r"\b(?:answer_status|\w*http\w*|\w*status_code)\b"
    assert re.findall(rf"{names}|\b[2-5]\d\d\b", re.sub("--.*", "", SCHEMA)) == []


# 6. One writer of state

# The SET clauses of updates of messages. {} stands for a text that is known only at run time.
_SETS = re.compile(
    r"\bUPDATE\s+(?:OR\s+\w+\s+)?(?:messages\b|\{\}).*?\bSET\b(.*?)"
    r"(?:\b(?:WHERE|FROM|RETURNING)\b|$)",
    re.DOTALL | re.IGNORECASE,
)
_STATE = re.compile(
    r"(?:\b(?:(?:delivery_)?status|delivery_count|attempt|claimed_by|lease_until|next_attempt_at|finished_at|reason"
    r"|provider_code|provider_message_id)\b[\w\s,]*\)?\s*=)|^\s*\{\}",
    re.IGNORECASE,
)
_CHANGES_ROWS = re.compile(
    r"\b(?:INTO|UPDATE|DELETE\s+FROM|OR\s+\w+)\s+(?:delivery_)?events\b"
    r"|\bUPDATE\s+(?:OR\s+\w+\s+)?deliveries\b"
    r"|\bINTO\s+(?:messages|deliveries)\b.*\bDO\s+UPDATE\b",
    re.DOTALL | re.IGNORECASE,
)


def _writes_state(sql: str) -> bool:
    return bool(_CHANGES_ROWS.search(sql)) or any(map(_STATE.search, _SETS.findall(sql)))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE messages SET status = 'sent' WHERE id = ?1",
        "update or ignore messages as m set\n  size = 1, attempt = attempt + 1",
        "WITH due AS (SELECT id FROM messages WHERE TRUE) UPDATE messages SET lease_until = NULL",
        "UPDATE messages SET (finished_at, status) = (?1, 'sent') WHERE id = ?2",
        "UPDATE messages SET {} WHERE id = ?1",
        "UPDATE {} SET status = 'sent'",
        "INSERT INTO messages (id) VALUES (?1) ON CONFLICT DO UPDATE SET status = 'sent'",
        "INSERT OR IGNORE INTO events (message_id) VALUES (?1)",
        "DELETE FROM events",
        "UPDATE deliveries SET status = 'bounced'",
        "INSERT INTO delivery_events (message_id) VALUES (?1)",
        "UPDATE messages SET delivery_status = 'bounced'",
    ],
)
def test_a_statement_writing_the_state_is_found(sql: str) -> None:
    assert _writes_state(sql)


@modules_outside("store/record/")
def test_only_record_writes_the_state_of_a_message(module: str) -> None:
    assert [text for text in whole_texts(TREES[module]) if _writes_state(text)] == []
    # Other modules may call functions of store.record, but not use its SQL texts.
    assert "store.record.history" not in imported(TREES[module])


def test_no_trigger_writes_the_state_of_a_message() -> None:
    triggers = re.findall(r"\bCREATE TRIGGER\b.*?\bEND;", SCHEMA, re.DOTALL)
    assert len(triggers) == SCHEMA.count("CREATE TRIGGER")
    assert [text for text in triggers if _writes_state(text)] == []


def test_record_writes_the_state() -> None:
    modules = [name for name in TREES if name.startswith("store/record/")]
    texts = [text for name in modules for text in whole_texts(TREES[name])]
    assert sum("INSERT INTO events" in text for text in texts) == 1
    assert any(_STATE.search(clause) for text in texts for clause in _SETS.findall(text))


# 7. A handler is found by its URL


def _expected_module(path: str, *, sends: bool) -> str:
    first, _, rest = path.lstrip("/").partition("/")
    name = rest.partition("/")[0]
    match first:
        case "api":
            return name
        case "external":
            return rest.split("/")[1]
        case "admin" | "open_api" | "hooks":
            return f"{first}.{name}"
        case "emails":
            return "resend.emails" if sends else "resend.stored_emails"
        case "webhooks":
            return "resend.webhooks"
    return first


def test_a_handler_is_in_the_file_that_its_path_names() -> None:
    from routes import ROUTES

    wrong = {
        route.path: route.handler
        for route in ROUTES
        if route.handler.partition(":")[0] != _expected_module(route.path, sends=route.sends)
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
    names = ("sendbox_filter", "sendbox_views", "webhook_types", "webhook_views")
    shared = {f"handlers/{name}.py" for name in names}
    assert others == {*shared, *resend}


def test_handlers_load_at_their_first_call() -> None:
    assert {name for name in imported(TREES["routes.py"]) if name.startswith("handlers")} == set()
    program = "import sys, application; print([n for n in sys.modules if n.startswith('handlers')])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=SRC, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


# What a send does not need. Imports are the most expensive part of a Worker's start.
LATE = {
    *("handlers.resend.errors", "handlers.resend.stored_emails", "web.problems", "web.query"),
    *("mail.delivery", "mail.suppressions", "store.suppressions", "store.record.deliveries"),
    *("sending.delivery_events", "transport.delivery_events", "transport.sandbox_events"),
    *("store.due", "store.sweep", "store.search_index", "store.tokenizer"),
    *("mail.webhook_bodies", "mail.webhook_events", "sending.webhooks", "transport.webhooks"),
    *("accounts.webhook_endpoints", "accounts.webhook_secrets", "handlers.webhook_views"),
    *("store.notify", "store.webhooks", "store.webhook_claims", "store.webhook_log"),
    *("store.webhook_removal", "mail.webhook_examples", "handlers.webhook_types"),
    *("transport_settings", "transport.routing", "transport.factory", "transport.resend"),
    *("transport.resend_events", "store.transports", "transport.ses_events", "transport.sns"),
}


def test_a_worker_starts_without_the_code_that_a_send_does_not_need() -> None:
    assert {name.replace(".", "/") + ".py" for name in LATE} <= set(TREES)
    top = [node for node in TREES["entry.py"].body if isinstance(node, ast.Import | ast.ImportFrom)]
    at_start = [ast.unparse(node) for node in top if not packages(node) & {"runtime", *JAVASCRIPT}]
    program = "\n".join([*at_start, "import sys", f"print(sorted({LATE!r} & {{*sys.modules}}))"])
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=SRC, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_types_of_a_resource_are_beside_its_handlers() -> None:
    operations = load_operations()
    contents = [content for one in operations for content in (one.body, *one.successes) if content]
    kinds = {getattr(content.type, "__module__", "builtins") for content in contents}
    kinds = {name for name in kinds if not name.startswith("handlers.")}
    # Other types: lists, texts, the fields of every mail, the response that only reports success.
    assert kinds <= {"builtins", "types", "typing", "mail.fields", "web.responses"}


def test_resends_api_is_in_one_package() -> None:
    users = {
        name
        for name, tree in TREES.items()
        if not name.startswith("handlers/resend/")
        if any(other.startswith("handlers.resend") for other in imported(tree))
    }
    assert users == {"application.py", "entry.py"}  # for its errors; for the snapshot


# 8. The API's description comes from the code


def test_the_description_is_not_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text("utf-8").split()
    made = ("public/openapi.json", "public/docs.html", "public/guides/", "public/scalar/")
    assert {f"/{path}" for path in made} <= set(ignored)
    for file in made:
        # Exit status 0: the file is ignored and not committed.
        assert subprocess.run(["git", "check-ignore", "-q", file], cwd=ROOT).returncode == 0


def test_the_generator_of_the_description_stays_small() -> None:
    # examples.py grows with the endpoints.
    files = {*(ROOT / "tools" / "openapi").glob("*.py")} - {ROOT / "tools/openapi/examples.py"}
    assert files
    assert sum(len(file.read_text("utf-8").splitlines()) for file in files) < 1_300


# 9. Imports between packages


@modules_in("mail/", "accounts/")
def test_mail_and_accounts_import_no_store_and_no_http(module: str) -> None:
    others = {"store", "runtime", "transport", "handlers", "web", "sending", "settings", "services"}
    others |= {"entry", "application", "routes"}
    assert packages(TREES[module]) & (JAVASCRIPT | others) == set()


@modules_in("store/", "transport/")
def test_store_and_transport_import_nothing_above_them(module: str) -> None:
    above = {"entry", "application", "routes", "handlers", "web", "sending", "services"}
    assert packages(TREES[module]) & above == set()


@modules_in("transport/")
def test_transport_imports_no_store_and_no_accounts(module: str) -> None:
    assert packages(TREES[module]) & {"store", "accounts", "settings"} == set()


@modules_outside("runtime/", "transport/")
def test_only_the_composition_chooses_a_transport(module: str) -> None:
    used = {name for name in imported(TREES[module]) if name.startswith("transport.")}
    allowed = {"outcome", "sandbox", "sandbox_events", "delivery_events", "webhooks", "routing"}
    allowed |= {"resend_events", "ses_events", "sns"}
    assert {name.split(".")[1] for name in used} <= allowed


@modules_outside("runtime/", "transport/", "sending/dispatcher.py")
def test_only_the_dispatcher_sends(module: str) -> None:
    attributes = {n.attr for n in ast.walk(TREES[module]) if isinstance(n, ast.Attribute)}
    assert "send" not in attributes
    assert "fetch" not in attributes or module in (
        "web/turnstile.py",
        "web/dns.py",
        "sending/webhooks.py",
        "handlers/hooks/ses.py",
    )


@every_module
def test_no_module_uses_asyncio(module: str) -> None:
    """In the Worker, JavaScript runs the coroutines (``runtime/coroutines.py``)."""
    assert {name.partition(".")[0] for name in imported(TREES[module])} & {"asyncio"} == set()


@every_module
def test_no_module_imports_a_network_client(module: str) -> None:
    clients = {"http.client", "urllib.request", "smtplib", "socket", "ssl", "httpx", "requests"}
    assert imported(TREES[module]) & clients == set()


@modules_outside("settings.py")
def test_settings_are_read_in_one_place(module: str) -> None:
    assert "settings.read_settings" not in imported(TREES[module])
    assert "read_settings" not in names_in(TREES[module])


@modules_outside("settings.py", "transport_settings.py", "services.py", "runtime/environment.py")
def test_no_other_module_reads_the_variables(module: str) -> None:
    assert "settings.cached_settings" not in imported(TREES[module])
    assert names_in(TREES[module]) & {"cached_settings", "variables"} == set()


# Functions that may cache their results, because the results never change. And the coroutines that
# run at present, and the function that writes the log: a crash may lose both.
_CACHES = {
    "settings.py": ["cached_settings"],
    "accounts/credentials.py": ["_signed"],
    "entry.py": ["_coroutines"],
    "log.py": ["global _write"],
    "runtime/bridge.py": ["bridge", "memory", "coroutines"],
    "runtime/coroutines.py": [
        "_numbers = count(1)",
        "_works[number]",
        "_works[number]",
        "_works[number]",
    ],
    "runtime/d1.py": ["_number_of"],
    "runtime/environment.py": ["_environment"],
    "runtime/limits.py": ["_check_sql"],
    "runtime/webhook_queue.py": ["_arrivals[key]", "_arrivals.clear()"],
    "store/message_content.py": ["_with_values"],
}


@every_module
def test_no_module_keeps_state(module: str) -> None:
    """A module keeps no state between calls, except the caches of some functions."""
    assert state_kept(TREES[module]) == _CACHES.get(module, [])


@pytest.mark.parametrize(
    "source",
    [
        "n = 0\ndef f():\n    global n\n    n += 1",
        "def f():\n    globals()['n'] = 1",
        "seen: dict[str, int] = {}\ndef f(key):\n    seen[key] = 1",
        "seen = []\ndef f(key):\n    seen.append(key)",
        "class Count:\n    n = 0\ndef f():\n    Count.n += 1",
        "def f():\n    f.called = True",
        "from lists import LISTS\ndef f():\n    LISTS.clear()",
        "import lists\ndef f():\n    del lists.LISTS",
        "current = ContextVar('current')",
        "numbers = itertools.count()",
        "@functools.lru_cache(maxsize=None)\ndef f(key):\n    return key",
    ],
)
def test_module_state_is_found(source: str) -> None:
    assert len(state_kept(ast.parse(source))) == 1


def test_changes_of_local_objects_are_no_module_state() -> None:
    source = "rows = ()\ndef f(given):\n    rows = []\n    rows.append(1)\n    given.n = rows"
    assert state_kept(ast.parse(source)) == []


_SQL = re.compile(
    r"^\s*(?:SELECT|CREATE\s+(?:TABLE|INDEX)|DROP|ALTER|PRAGMA)\b"
    r"|(?i:\bSELECT\b.+\bFROM\b|\b(?:INSERT|REPLACE)\s+(?:OR\s+\w+\s+)?INTO\b"
    r"|\bUPDATE\s+\S+\s+SET\b|\bDELETE\s+FROM\b|\b(?:ORDER|GROUP)\s+BY\b|\?\d)",
    re.DOTALL,
)


@modules_outside("store/")
def test_only_the_store_holds_sql(module: str) -> None:
    assert [text for text in whole_texts(TREES[module]) if _SQL.search(text)] == []


@modules_outside("store/", "runtime/d1.py")
def test_only_the_store_makes_statements(module: str) -> None:
    assert "store.database.Statement" not in imported(TREES[module])
    assert "Statement" not in names_in(TREES[module])


@modules_outside("store/", "runtime/")
def test_only_the_store_runs_statements(module: str) -> None:
    called = [n.func for n in ast.walk(TREES[module]) if isinstance(n, ast.Call)]
    assert [ast.unparse(n) for n in called if getattr(n, "attr", "") == "batch"] == []


def test_the_store_holds_sql() -> None:
    for module in ("store/reserve.py", "store/record/statuses.py", "store/addresses.py"):
        assert [text for text in whole_texts(TREES[module]) if _SQL.search(text)] != []


def test_no_javascript_holds_sql() -> None:
    words = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE)\b")
    for path in SRC.rglob("*.mjs"):
        text = path.read_text("utf-8")
        assert words.search(text) is None
        assert re.search(r"\bselect\b.+\bfrom\b|\binsert into\b|\bdelete from\b", text) is None


def test_no_modules_import_each_other() -> None:
    """There is no import cycle, imports inside functions included."""
    graph = {
        name.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): imported(tree)
        for name, tree in TREES.items()
    }
    edges = {name: found & graph.keys() - {name} for name, found in graph.items()}
    # Handlers are loaded by the name in their route, so they are no edges here. The application
    # imports Resend's errors only at the first error.
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

# These modules iterate over secrets to hash them, and to warn of short ones.
_HASHES_SECRETS = ("handlers/open_api/site_login.py", "settings.py")


@every_module
def test_secrets_are_compared_in_constant_time(module: str) -> None:
    secrets = {"passwords", "admin_passwords", "jwt_secret", "jwt_secrets", "password_pepper"}
    # Expressions that are compared, iterated over or operands of an operator, and those of which an
    # attribute is read.
    looked_at: list[ast.AST] = []
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Compare):
            looked_at.append(node)
        elif isinstance(node, ast.BinOp | ast.Attribute):
            looked_at.append(node.value if isinstance(node, ast.Attribute) else node)
        elif isinstance(node, ast.For | ast.comprehension) and module not in _HASHES_SECRETS:
            looked_at.append(node.iter)
    assert set().union(*map(names_in, looked_at)) & secrets == set()


def test_secrets_are_compared_with_compare_digest() -> None:
    for module in ("web/auth.py", "accounts/passwords.py"):
        assert "hmac.compare_digest" in ast.unparse(TREES[module])


# Docstrings


@every_module
def test_every_module_has_a_docstring(module: str) -> None:
    assert ast.get_docstring(TREES[module])


@every_module
def test_every_public_class_and_function_has_a_docstring(module: str) -> None:
    tree = TREES[module]
    # The docstring of the module may explain a name instead. That of errors.py shows its tree.
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
    r"(?<![a-z])(?:hear_out|outlive|wakeups?_on|brake|delivery_news|address_book|balance_book"
    r"|rehears\w+|Confirmation|BatchAnswer|Refusal|json_answer|lies_in|unsendable|uncarriable"
    r"|for good|come to its end|comes to its end|nobody|whoever)(?![a-z])",
    re.IGNORECASE,
)


@every_module
def test_no_module_uses_a_replaced_word(module: str) -> None:
    assert _OLD_WORDS.findall((SRC / module).read_text("utf-8")) == []


@pytest.mark.parametrize("directory", ["src", "console", "tools", "tests", "migrations"])
def test_no_other_language_uses_a_replaced_word(directory: str) -> None:
    paths = [
        path
        for ending in ("mjs", "js", "ts", "tsx", "css", "sql")
        for path in (ROOT / directory).rglob(f"*.{ending}")
    ]
    assert paths != []
    assert {str(path) for path in paths if _OLD_WORDS.search(path.read_text("utf-8"))} == set()


# More of these words. Strings may have them: addresses, error codes, subjects.
_OLD_WORDS_OF_NAMES = re.compile(
    _OLD_WORDS.pattern + r"|(?<![a-z])(?:answer|answers|answered|refuse|refuses|refused|refusals?"
    r"|whatever|told|trail|woken|alarm|confirm|confirms|confirmed)(?![a-z])"
    r"|(?-i:(?<=[a-z])(?:Answer|Refus(?!edError)))",  # inside of a name
    re.IGNORECASE,
)


def names_and_comments(path: Path) -> str:
    """The names, comments and docstrings of a file, without its other strings."""
    with tokenize.open(path) as file:
        tokens = [*tokenize.generate_tokens(file.readline)]
    return "\n".join(
        token.string
        for token in tokens
        if token.type in (tokenize.NAME, tokenize.COMMENT)
        or (token.string.startswith('"""') and token.line.lstrip().startswith('"""'))
    )


def test_no_name_and_no_comment_uses_a_replaced_word() -> None:
    directories = ["src", "smtp_relay", "tools"]
    directories += (f"tests/{name}" for name in ("api", "client", "crash", "e2e", "faults"))
    directories += ("tests/smtp", "tests/unit")
    used = {
        str(path): words
        for directory in directories
        for path in (ROOT / directory).rglob("*.py")
        if (words := _OLD_WORDS_OF_NAMES.findall(names_and_comments(path)))
    }
    assert used == {}
