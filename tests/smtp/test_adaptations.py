"""What the log and the metrics say about the changes to a message, and a strict relay."""

import json
from pathlib import Path
from typing import Any

import pytest

from smtp_relay.api_response import ApiResponse
from smtp_relay.message import adaptations
from smtp_relay.message.convert import Request, convert
from smtp_relay.message.errors import Unsupported
from tests.e2e.api import Api, Sender
from tests.smtp.in_process import Client, client
from tests.smtp.mails import left
from tests.smtp.relay import RelayProcess
from tools.local_server import LocalServer

CHANGES: list[tuple[adaptations.Kind, str]] = [
    ("left_out", "Delivered-To left out"),
    ("joined", "Two secret fields joined"),
    ("left_out", "Received-SPF left out"),
]


@pytest.fixture
def changing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay that makes ``CHANGES`` to each message."""

    def convert_and_change(*arguments: Any, **options: Any) -> Request:
        request = convert(*arguments, **options)
        for kind, sentence in CHANGES:
            request.adaptations.add(kind, sentence, Unsupported(sentence))
        return request

    monkeypatch.setattr("smtp_relay.submission.convert", convert_and_change)


async def accept() -> ApiResponse:
    return ApiResponse(202, {"id": "1"})


async def reject() -> ApiResponse:
    return ApiResponse(400, {"code": "invalid_recipient", "detail": "No"})


def metrics_of(smtp: Client) -> list[str]:
    prefix = "smtp_relay_adaptations_total"
    return [line for line in smtp.metrics.as_text().splitlines() if line.startswith(prefix)]


def logged(output: str) -> dict[str, Any]:
    lines = map(json.loads, output.splitlines())
    (found,) = (line for line in lines if line["event"] == "message")
    return dict(found)


@pytest.mark.usefixtures("changing")
async def test_the_changes_to_an_accepted_message(capsys: pytest.CaptureFixture[str]) -> None:
    async with client(accept) as smtp:
        assert (await smtp.send()).startswith("250 ")
    assert metrics_of(smtp) == [
        'smtp_relay_adaptations_total{kind="left_out"} 2',
        'smtp_relay_adaptations_total{kind="shortened"} 0',
        'smtp_relay_adaptations_total{kind="renamed"} 0',
        'smtp_relay_adaptations_total{kind="joined"} 1',
        'smtp_relay_adaptations_total{kind="guessed"} 0',
        'smtp_relay_adaptations_total{kind="repaired"} 0',
        'smtp_relay_adaptations_total{kind="attached"} 0',
    ]
    output = capsys.readouterr().out
    assert logged(output)["adaptations"] == {"left_out": 2, "joined": 1}
    assert "secret" not in output


@pytest.mark.usefixtures("changing")
async def test_a_rejected_message_is_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    async with client(reject) as smtp:
        assert (await smtp.send()).startswith("550 ")
    assert all(line.endswith(" 0") for line in metrics_of(smtp))
    assert logged(capsys.readouterr().out)["adaptations"] == {"left_out": 2, "joined": 1}


async def test_a_message_without_changes(capsys: pytest.CaptureFixture[str]) -> None:
    async with client(accept) as smtp:
        assert (await smtp.send()).startswith("250 ")
    assert all(line.endswith(" 0") for line in metrics_of(smtp))
    assert "adaptations" not in logged(capsys.readouterr().out)


CRON = b"X-Cron-Env: <SHELL=/bin/sh>\r\nX-Cron-Env: <HOME=/root>\r\n"
CRON_MAIL = b"From: root@web1\r\nSubject: A subject\r\n" + CRON + b"\r\nA text"


@pytest.mark.slow
def test_the_changes_are_shown_counted_and_logged(
    server: LocalServer, api: Api, sender: Sender, tmp_path: Path
) -> None:
    with RelayProcess(server.url, tmp_path) as relay, relay.client(sender) as smtp:
        assert smtp.sendmail("root@web1", ["recipient@example.net"], CRON_MAIL) == {}
        assert relay.metric('adaptations_total{kind="joined"}') == 1
        assert relay.metric('adaptations_total{kind="renamed"}') == 1
        assert relay.metric('adaptations_total{kind="shortened"}') == 0
        (line,) = relay.log_lines("message")
        assert "SHELL" not in relay.log.read_text()
    assert line["adaptations"] == {"renamed": 1, "joined": 1}
    shown = api.message(sender, line["message_id"])
    assert len(shown["adaptations"]) == 2
    assert any("X-Cron-Env" in sentence for sentence in shown["adaptations"])
    (mail,) = left(api, sender)
    assert mail.form["headers"]["X-Cron-Env"] == "<SHELL=/bin/sh>, <HOME=/root>"
    assert mail.form["headers"]["X-Original-From"] == "root@web1"


@pytest.mark.slow
def test_a_strict_relay(server: LocalServer, api: Api, sender: Sender, tmp_path: Path) -> None:
    with (
        RelayProcess(server.url, tmp_path, settings={"SMTP_STRICT": "true"}) as relay,
        relay.client(sender) as smtp,
    ):
        smtp.mail("")
        smtp.rcpt("recipient@example.net")
        code, text = smtp.data(b"Subject: A subject\r\n" + CRON + b"\r\nA text")
        assert (code, text.startswith(b"5.6.")) == (554, True)
        assert b"X-Cron-Env" in text
        assert smtp.mail("", ["RET=HDRS"])[0] == 555
        smtp.mail("")
        assert smtp.rcpt("recipient@example.net", ["NOTIFY=NEVER"])[0] == 555
        smtp.rcpt("recipient@example.net")
        assert smtp.data(b"Subject: A subject\r\n\r\nA text")[0] == 250
        assert relay.metric('adaptations_total{kind="joined"}') == 0
        (_, line) = relay.log_lines("message")
    assert "adaptations" not in line
    assert len(left(api, sender)) == 1
