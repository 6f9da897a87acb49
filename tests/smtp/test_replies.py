"""Every kind of reply to a message, each from a real cause."""

import smtplib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from locales.en import SENTENCES
from tests.e2e.api import Sender
from tests.smtp.conftest import MAILS_A_MINUTE, Faulty
from tests.smtp.mails import reply_to
from tests.smtp.mails import short_mail as mail
from tests.smtp.relay import HOST, RelayProcess
from tools.local_server import free_port


@pytest.fixture(scope="module")
def relay(faulty: Faulty, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    with RelayProcess(faulty.api.server.url, tmp_path_factory.mktemp("relay")) as running:
        yield running


@pytest.fixture(scope="module")
def impatient(faulty: Faulty, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    """A relay that waits one second for the API."""
    folder = tmp_path_factory.mktemp("impatient")
    with RelayProcess(faulty.api.server.url, folder, settings={"API_SECONDS": "1"}) as running:
        yield running


@pytest.fixture(scope="module")
def strict(faulty: Faulty, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    folder = tmp_path_factory.mktemp("strict")
    with RelayProcess(faulty.api.server.url, folder, settings={"SMTP_STRICT": "true"}) as running:
        yield running


@pytest.fixture
def sender(faulty: Faulty) -> Sender:
    return faulty.api.new_sender()


def test_accepted(relay: RelayProcess, faulty: Faulty, sender: Sender) -> None:
    reply = reply_to(relay, sender)
    (row,) = faulty.api.messages_of(sender)
    assert reply == f"250 2.0.0 Ok: queued as {row['id']}"
    assert faulty.mails_out(sender) == 1


def test_a_retry_after_a_lost_reply(relay: RelayProcess, faulty: Faulty, sender: Sender) -> None:
    first = reply_to(relay, sender, message_id="<1@test>")
    assert reply_to(relay, sender, message_id="<1@test>", received="by a.example") == first
    assert reply_to(relay, sender, "recipient@EXAMPLE.net", message_id="<1@test>") == first
    assert faulty.mails_out(sender) == 1
    # The same message to another recipient is a different message.
    assert reply_to(relay, sender, "other@example.net", message_id="<1@test>") != first
    assert faulty.mails_out(sender) == 2


def test_two_messages_with_the_same_content(
    relay: RelayProcess, faulty: Faulty, sender: Sender
) -> None:
    assert reply_to(relay, sender) != reply_to(relay, sender)
    assert faulty.mails_out(sender) == 2


def test_the_clients_own_key(relay: RelayProcess, faulty: Faulty, sender: Sender) -> None:
    first = reply_to(relay, sender, idempotency_key="key of the client")
    assert reply_to(relay, sender, resend_idempotency_key="key of the client") == first
    (row,) = faulty.api.messages_of(sender)
    assert row["idempotency_key"] == "key of the client"
    other = reply_to(relay, sender, idempotency_key="key of the client", subject="Another")
    assert other.startswith("554 5.6.0 ")
    assert faulty.mails_out(sender) == 1


@pytest.mark.parametrize(
    ("subject", "begins"),
    [
        ("[E_RATE_LIMIT_EXCEEDED]", "451 4.3.0 "),
        ("[E_DAILY_LIMIT_EXCEEDED]", "451 4.3.0 "),
        ("[E_VALIDATION_ERROR]", "554 5.3.0 "),
        ("[E_RECIPIENT_SUPPRESSED]", "550 5.7.1 "),
        ("[E_CONTENT_TOO_LARGE]", "552 5.3.4 "),
        ("[no code]", "554 5.3.0 The mail provider"),
        ("[take] [E_INTERNAL_SERVER_ERROR]", "554 5.3.0 The mail provider"),
    ],
)
def test_errors_of_the_provider(
    relay: RelayProcess, faulty: Faulty, sender: Sender, subject: str, begins: str
) -> None:
    # A new recipient each time, because E_RECIPIENT_SUPPRESSED suppresses it.
    recipient = f"{sender.address_id}@example.org"
    assert reply_to(relay, sender, recipient, subject=subject).startswith(begins)


def test_errors_of_the_api(relay: RelayProcess, sender: Sender) -> None:
    reply = reply_to(relay, sender, "a@example.net", "delivered@test.invalid")
    assert reply == f"554 5.6.0 Failed to send mail {SENTENCES['test_recipients_mixed']}"


def test_a_strict_relay_names_the_field(strict: RelayProcess, sender: Sender) -> None:
    assert reply_to(strict, sender, subject="") == "554 5.6.1 Subject is empty"
    reply = reply_to(strict, sender, reply_to="a@example.net, b@example.net")
    assert reply == "554 5.6.1 More than one address in Reply-To is not supported"
    reply = reply_to(strict, sender, disposition_notification_to="me@example.com")
    assert reply == "554 5.6.1 disposition-notification-to is not supported"


def test_the_reply_names_the_rejected_recipient(
    relay: RelayProcess, faulty: Faulty, sender: Sender
) -> None:
    bad = "suppressed@example.net"
    sql = "INSERT OR IGNORE INTO suppressions VALUES (?, '', 'manual', NULL, 0, NULL)"
    faulty.api.server.sql(sql, [bad])
    reply = reply_to(relay, sender, "good@example.net", bad)
    named = f"Recipient is suppressed: {bad} (an administrator added it)"
    assert reply == f"550 5.7.1 Failed to send mail {named}"
    bad = "blocked@example.net"
    sql = "INSERT OR IGNORE INTO list_entries (list, value) VALUES ('send_block', ?)"
    faulty.api.server.sql(sql, [bad])
    reply = reply_to(relay, sender, "good@example.net", bad)
    named = f"This address is blocked: {bad}"
    assert reply == f"550 5.7.1 Failed to send mail Address is blocked; {named}"
    assert faulty.mails_out(sender) == 0


def test_the_rate_limit(relay: RelayProcess, faulty: Faulty, sender: Sender) -> None:
    replies = [reply_to(relay, sender) for _ in range(MAILS_A_MINUTE + 1)]
    assert all(reply.startswith("250 2.0.0 ") for reply in replies[:MAILS_A_MINUTE])
    assert replies[MAILS_A_MINUTE].startswith("451 4.7.1 ")
    assert "retry after" in replies[MAILS_A_MINUTE]


def test_no_balance(relay: RelayProcess, faulty: Faulty) -> None:
    sender = faulty.api.new_sender(balance=0)
    assert reply_to(relay, sender) == "550 5.7.1 Failed to send mail No balance"


def test_an_expired_credential(relay: RelayProcess, faulty: Faulty, sender: Sender) -> None:
    with relay.client(sender) as smtp:
        sql = "UPDATE addresses SET credential_version = credential_version + 1 WHERE id = ?"
        faulty.api.server.sql(sql, [sender.address_id])
        with pytest.raises(smtplib.SMTPDataError) as caught:
            smtp.sendmail(sender.address, ["recipient@example.net"], mail())
        assert caught.value.args == (535, b"5.7.8 Invalid address credential")
    # The relay has removed the credential from its cache.
    with relay.client() as smtp, pytest.raises(smtplib.SMTPAuthenticationError):
        smtp.login("jwt", sender.jwt)


def test_too_large(relay: RelayProcess, faulty: Faulty, sender: Sender) -> None:
    limit = 5 * 1024 * 1024
    with relay.client(sender) as smtp:
        smtp.ehlo()
        assert smtp.esmtp_features["size"] == str(limit)
        assert smtp.mail(sender.address, [f"size={limit + 1}"])[0] == 552
        smtp.mail(sender.address)
        smtp.rcpt("recipient@example.net")
        code, text = smtp.data(mail(text="line\r\n" * (limit // 6)))
        assert (code, text[:6]) == (552, b"5.3.4 ")
    # This message is within the limit of SMTP, but in the API's encoding it is too large.
    reply = reply_to(relay, sender, text="ü\r\n" * (limit // 4 - 1000))
    assert reply.startswith("552 5.3.4 The message has ")
    assert faulty.mails_out(sender) == 0


def test_a_slow_api_and_a_message_that_is_safe_to_retry(
    faulty: Faulty, impatient: RelayProcess, sender: Sender
) -> None:
    fields = {"subject": "[wait 3000]", "message_id": "<slow@test>"}
    assert reply_to(impatient, sender, **fields).startswith("451 4.4.2 ")
    # The API still processes the first attempt.
    assert reply_to(impatient, sender, **fields).startswith("451 4.3.0 ")
    deadline = time.monotonic() + 15
    while not (reply := reply_to(impatient, sender, **fields)).startswith("250 "):
        assert reply.startswith("4")
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert faulty.mails_out(sender) == 1


def test_a_slow_api_and_a_message_that_is_not_safe_to_retry(
    faulty: Faulty, impatient: RelayProcess, sender: Sender
) -> None:
    name = 'messages_total{result="unknown"}'
    before = impatient.metric(name)
    reply = reply_to(impatient, sender, subject="[wait 1500]")
    assert reply.startswith("554 5.3.0 ")
    assert "not known" in reply
    assert impatient.metric(name) == before + 1


def test_a_stopped_api(relay: RelayProcess, faulty: Faulty, sender: Sender) -> None:
    with relay.client(sender) as smtp:
        faulty.api.server.stop()
        try:
            with pytest.raises(smtplib.SMTPDataError, match=r"4\.3\.0"):
                smtp.sendmail(sender.address, ["recipient@example.net"], mail())
            with relay.client() as other, pytest.raises(smtplib.SMTPException) as caught:
                other.login("jwt", "an unknown password")
            assert caught.value.args[0] == 454
        finally:
            faulty.api.server.start()
        smtp.sendmail(sender.address, ["recipient@example.net"], mail())


def test_an_unreachable_api(
    relay: RelayProcess, faulty: Faulty, sender: Sender, tmp_path: Path
) -> None:
    url = f"http://{HOST}:{free_port()}"
    with RelayProcess(url, tmp_path) as relay, relay.client() as smtp:
        with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
            smtp.login("jwt", sender.jwt)
        assert caught.value.smtp_code == 454
        assert relay.log_lines("api_unreachable")
