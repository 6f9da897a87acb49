"""Generated messages, end to end: SMTP, the relay, the API and the provider."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.api import Api, Sender
from tests.smtp.generated import Mail, generated
from tests.smtp.mails import Left, left
from tests.smtp.relay import RelayProcess

CONNECTIONS = 8


def send_all(relay: RelayProcess, sender: Sender, mails: list[Mail]) -> None:
    """Send these mails on one connection."""
    with relay.client(sender) as smtp:
        for mail in mails:
            smtp.mail(sender.address)
            smtp.rcpt("recipient@example.net")
            code, text = smtp.data(mail.content)
            assert code == 250, text


def check(mail: Mail, found: Left) -> None:
    assert found.form["subject"] == mail.subject
    files_alone = not mail.text and not mail.html
    assert (found.text, found.html) == ("\r\n" if files_alone else mail.text, mail.html)
    assert len(found.files) == len(mail.files)
    for (name, kind, disposition, content), expected in zip(found.files, mail.files, strict=True):
        assert expected.name in (None, name)
        assert kind == expected.kind
        assert disposition == ("inline" if expected.content_id else "attachment")
        assert content == expected.content


@pytest.mark.parametrize("count", [48, pytest.param(600, marks=pytest.mark.slow)])
def test_generated_mails_arrive_unchanged(relay: RelayProcess, api: Api, count: int) -> None:
    # A relay that is not strict changes the others: see test_real_mails.py.
    mails = [mail for mail in map(generated, range(count)) if mail.error is None]
    work = [(api.new_sender(), mails[first::CONNECTIONS]) for first in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(lambda job: send_all(relay, *job), work))
    for sender, batch in work:
        for mail, found in zip(batch, left(api, sender), strict=True):
            check(mail, found)
