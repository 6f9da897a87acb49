"""What the provider is handed, word by word: the ``send_email`` binding's builder form."""

from tests.e2e.api import Api
from tests.faults.ledger import Ledger


def test_a_full_message(api: Api, ledger: Ledger) -> None:
    sender = api.new_sender()
    answer = api.send(
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
    assert answer.status_code == 200, answer.text
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


def test_what_is_not_said_is_left_out(api: Api, ledger: Ledger) -> None:
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
