"""The workers that are compared: this project's and the bare one, or this project's twice."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from accounts.credentials import Credential, issue
from tools.bench import mails
from tools.bench.history import OWN_ADDRESS_ID, write_history
from tools.bench.load import Target
from tools.bench.report import progress
from tools.bench.statements import cron_plan, plan
from tools.local_server import LocalServer, migrated_state
from tools.prepare import BUILD, ROOT
from tools.wrangler import CONFIG

_BARE_CONFIG = ROOT / "tools" / "bench" / "bare_worker" / "wrangler.toml"
_STATES = BUILD / "bench" / "states"
_FEW = 1_000
_MANY = 1_000_000
_SECRET = "only-for-the-benchmark-0123456789-0123456789"
_CREDENTIAL = Credential(mails.SENDER, OWN_ADDRESS_ID, 0)
VARIABLES = {
    "JWT_SECRET": _SECRET,
    "DOMAINS": mails.SENDER.rpartition("@")[2],
    # More than any run sends, so that no send is rejected.
    "DEFAULT_SEND_BALANCE": "1000000000",
    "ENABLE_LOCAL_WEBHOOKS": "true",
}


@dataclass(frozen=True)
class Workers:
    """Both workers, ready for requests."""

    ours: Target
    bare: Target


@dataclass(frozen=True)
class Histories:
    """Two instances of this project's worker: with a thousand and with a million messages."""

    short: Target
    long: Target


@contextmanager
def started() -> Iterator[Workers]:
    """Start both workers, each on a database with one address. Stop them at the end."""
    day = time.strftime("%Y-%m-%d", time.gmtime())
    plans = {len(mails.content(size)): plan(_CREDENTIAL, size, day) for size in mails.ALL_SIZES}
    bare_variables = {
        "PLANS": json.dumps(plans),
        "CRON": json.dumps(cron_plan(json.dumps(VARIABLES))),
        "SENDER": mails.SENDER,
    }
    with (
        LocalServer((CONFIG,), variables=VARIABLES) as ours,
        LocalServer((_BARE_CONFIG,), variables=bare_variables) as bare,
    ):
        for server in (ours, bare):
            add_sender(server)
        yield Workers(
            ours=target_of("this worker", ours),
            bare=Target("the bare worker", bare, "none"),
        )


def add_sender(server: LocalServer) -> None:
    """Create the address that all mails are sent from."""
    server.sql(
        "INSERT INTO addresses (id, name, created_at, updated_at) VALUES (?, ?, ?, ?)",
        (_CREDENTIAL.address_id, _CREDENTIAL.address, 0, 0),
    )


@contextmanager
def started_on_histories() -> Iterator[Histories]:
    """Write both histories and start a worker on each. Stop and delete all at the end."""
    with ExitStack() as stack:
        short, long = (stack.enter_context(_started_after(messages)) for messages in (_FEW, _MANY))
        yield Histories(short, long)


@contextmanager
def _started_after(messages: int) -> Iterator[Target]:
    name = f"the worker with {messages:,} messages"
    state = _STATES / str(messages)
    shutil.rmtree(state, ignore_errors=True)
    try:
        write_history(migrated_state(state), messages)
        progress(f"Starting {name} (5 s)")
        with LocalServer((CONFIG,), state=state, variables=VARIABLES) as server:
            yield target_of(name, server)
    finally:
        shutil.rmtree(state, ignore_errors=True)


def target_of(name: str, server: LocalServer) -> Target:
    """This project's worker on ``server``, with the credential of the sending address."""
    token = issue(_CREDENTIAL, secret=_SECRET, now=0)
    return Target(name, server, f"Bearer {token}")
