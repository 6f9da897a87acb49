"""A deployment whose ``SEND_MAIL`` is the provider's stand-in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.e2e.api import DEPLOYMENT
from tests.faults.gate.gate import OVERLAY, Gate
from tests.faults.ledger import Ledger
from tools.local_server import LocalServer
from tools.wrangler import CONFIG

_PROVIDER = Path(__file__).parent / "provider" / "wrangler.toml"


def failing_deployment(
    ledger: Ledger,
    variables: Mapping[str, str] | None = None,
    *,
    queue: bool = True,
    gate: Gate | None = None,
) -> LocalServer:
    """A server that sends its mails to the stand-in, which records them in ``ledger``.

    :param gate: receives each of the worker's calls to the database, the provider and the queue.
    """
    gated = {"GATE_URL": gate.url} if gate else {}

    def edit(config: dict[str, Any]) -> None:
        _bind_stand_in(config)
        if not queue:
            del config["queues"]

    return LocalServer(
        (CONFIG, _PROVIDER),
        variables={**DEPLOYMENT, "LEDGER_URL": ledger.url, **gated, **(variables or {})},
        edit=edit,
        overlay=OVERLAY if gate else None,
    )


def _bind_stand_in(config: dict[str, Any]) -> None:
    (binding,) = config.pop("send_email")
    service = {"binding": binding["name"], "service": "provider", "entrypoint": "Provider"}
    config["services"] = [service]
