"""The exact argument of the provider's ``send``: the builder form of the ``send_email`` binding."""

import pytest

from tests.e2e.api import Api
from tests.faults.ledger import Ledger


@pytest.mark.slow
def test_a_full_message(api: Api, ledger: Ledger) -> None:
    sender = api.new_sender()
    response = api.send(
        sender,
        cc="C <c@example.net>",
        bcc=["d@example.net"],
        reply_to="e@example.net",
        text="Hello",
        html="<p>Hello</p>",
        headers={"X-A": "1"},
        attachments=[
            {"filename": "a.txt", "content": "SGk="},
            {"filename": "b.bin", "content": "", "content_type": "image/png", "content_id": "b"},
        ],
        tags=[{"name": "kind", "value": "test"}],
    )
    assert response.status_code == 200, response.text
    assert ledger.mails_of(sender.address) == [
        {
            "from": {"email": sender.address, "name": "A Sender"},
            "to": [{"email": "recipient@example.net", "name": "A Recipient"}],
            "cc": [{"email": "c@example.net", "name": "C"}],
            "bcc": ["d@example.net"],
            "replyTo": "e@example.net",
            "subject": "A subject",
            "headers": {"X-A": "1"},
            "text": "Hello",
            "html": "<p>Hello</p>",
            "attachments": [
                {
                    "filename": "a.txt",
                    "type": "text/plain",
                    "disposition": "attachment",
                    "content": {"0": 72, "1": 105},  # a Uint8Array, as JSON writes it
                },
                {
                    "filename": "b.bin",
                    "type": "image/png",
                    "disposition": "inline",
                    "contentId": "b",
                    "content": {},
                },
            ],
        }
    ]


def test_members_without_a_value_are_omitted(api: Api, ledger: Ledger) -> None:
    sender = api.new_sender()
    assert api.send(sender, from_name=None, to_name=None).status_code == 200
    assert ledger.mails_of(sender.address) == [
        {
            "from": sender.address,
            "to": ["recipient@example.net"],
            "subject": "A subject",
            "text": "A text",
        }
    ]
