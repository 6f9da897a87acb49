"""`make event` lets a delivery event arrive at a running server."""

import json

import pytest

from mail.delivery import KINDS
from tests.e2e.api import Api
from tools.event import SERVER_FILE, EventError, main, put_event
from tools.local_server import LocalServer


@pytest.fixture
def reachable(server: LocalServer) -> LocalServer:
    """The server, where `make event` finds it."""
    about = {"url": server.url, "registry": str(server.registry)}
    (server.state / SERVER_FILE).write_text(json.dumps(about))
    return server


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["delivered", "bounced"])
def test_an_event_arrives(api: Api, reachable: LocalServer, kind: str) -> None:
    assert kind in KINDS
    sender = api.new_sender(balance=5)
    to = [f"{kind}-{number}@example.net" for number in range(2)]
    message_id = api.send(sender, to_mail=None, to=to).json()["id"]
    printed = put_event(reachable.state, message_id, kind, f"{kind.title()}-1@Example.NET")
    assert printed == f"{kind}: {to[1]} of {message_id}"
    statuses = [one["delivery_status"] for one in api.message(sender, message_id)["recipients"]]
    assert statuses == ["sent", kind]


def test_an_event_needs_a_message_and_one_of_its_recipients(
    api: Api, reachable: LocalServer
) -> None:
    message_id = api.send(api.new_sender(balance=5)).json()["id"]
    with pytest.raises(EventError, match="There is no message nothing"):
        put_event(reachable.state, "nothing", "bounced", None)
    with pytest.raises(EventError, match="is no recipient of the message: recipient@example"):
        put_event(reachable.state, message_id, "bounced", "other@example.net")
    (reachable.state / SERVER_FILE).unlink()
    with pytest.raises(EventError, match="No `make dev` runs"):
        put_event(reachable.state, message_id, "bounced", None)


@pytest.mark.parametrize(("arguments", "name"), [(("", "bounced", ""), "ID"), (("x", ""), "KIND")])
def test_a_missing_argument_is_named(
    arguments: tuple[str, ...], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make event` passes each variable, so that one that is not set is empty."""
    with pytest.raises(SystemExit):
        main(list(arguments))
    assert f"argument {name}: required: make event ID=... KIND=bounced" in capsys.readouterr().err
