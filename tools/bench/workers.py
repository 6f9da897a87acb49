"""The two workers side by side: this project's, and the bare one it is compared with."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from accounts.credentials import Credential, issue
from tools.bench import mails
from tools.bench.load import Target
from tools.bench.statements import plan
from tools.local_server import LocalServer
from tools.prepare import ROOT
from tools.wrangler import CONFIG

_BARE_CONFIG = ROOT / "tools" / "bench" / "bare_worker" / "wrangler.toml"
_SECRET = "only-for-the-benchmark-0123456789-0123456789"
_CREDENTIAL = Credential(mails.SENDER, 1, 0)
_VARIABLES = {
    "JWT_SECRET": _SECRET,
    "DOMAINS": mails.SENDER.rpartition("@")[2],
    # More than any run sends: what is measured is a send, not a refusal.
    "DEFAULT_SEND_BALANCE": "1000000000",
}


@dataclass(frozen=True)
class Workers:
    """Both workers, ready for requests; `log` is what this project's worker prints."""

    ours: Target
    bare: Target
    log: Path


@contextmanager
def started() -> Iterator[Workers]:
    """Start both workers on databases with one address each; stop them at the end."""
    token = issue(_CREDENTIAL, secret=_SECRET, now=0)
    day = time.strftime("%Y-%m-%d", time.gmtime())
    plans = {len(mails.content(size)): plan(_CREDENTIAL, size, day) for size in mails.SIZES}
    bare_variables = {"PLANS": json.dumps(plans), "SENDER": mails.SENDER}
    with (
        LocalServer((CONFIG,), variables=_VARIABLES) as ours,
        LocalServer((_BARE_CONFIG,), variables=bare_variables) as bare,
    ):
        for server in (ours, bare):
            server.sql(
                "INSERT INTO addresses (id, name, created_at, updated_at) VALUES (?, ?, ?, ?)",
                (_CREDENTIAL.address_id, _CREDENTIAL.address, 0, 0),
            )
        yield Workers(
            ours=Target("this worker", ours.port, f"Bearer {token}"),
            bare=Target("the bare worker", bare.port, "none"),
            log=ours.log,
        )
