"""The two HTTP examples of the page that this service implements, run unchanged."""

import pytest
import requests

from tests.e2e.api import Api

HEADER_EXAMPLE = """
send_body = {
    "from_name": "Sender Name",
    "to_name": "Recipient Name",
    "to_mail": "Recipient Address",
    "subject": "Email Subject",
    "is_html": False,  # Set whether it's HTML based on content
    "content": "<Email content: html or text>",
}

res = requests.post(
    "https://your_worker_domain/api/send_mail",
    json=send_body, headers={
        "Authorization": f"Bearer {address_JWT}",
        # "x-custom-auth": "<your_website_password>", # If private site password is enabled
        "Content-Type": "application/json"
    }
)
"""

BODY_TOKEN_EXAMPLE = """
send_body = {
    "token": "<address_JWT>",
    "from_name": "Sender Name",
    "to_name": "Recipient Name",
    "to_mail": "Recipient Address",
    "subject": "Email Subject",
    "is_html": False,  # Set whether it's HTML based on content
    "content": "<Email content: html or text>",
}
res = requests.post(
    "https://your_worker_domain/external/api/send_mail",
    json=send_body, headers={
        # "x-custom-auth": "<your_website_password>", # If private site password is enabled
        "Content-Type": "application/json"
    }
)
"""


@pytest.mark.contract("POST /api/new_address: Returns jwt, address, address_id and password")
@pytest.mark.contract("POST /api/send_mail: Returns 200 with both ids")
@pytest.mark.contract("POST /external/api/send_mail: Accepts the token in the body")
def test_both_examples_send_one_mail_each(api: Api) -> None:
    sender = api.new_sender()
    for number, example in enumerate((HEADER_EXAMPLE, BODY_TOKEN_EXAMPLE), 1):
        code = (
            example.replace("https://your_worker_domain", api.server.url)
            .replace("Recipient Address", "recipient@example.net")
            .replace("<address_JWT>", sender.jwt)
        )
        names = {"requests": requests, "address_JWT": sender.jwt}
        exec(code, names)
        response = names["res"]
        assert isinstance(response, requests.Response)
        assert response.status_code == 200, response.text
        body = response.json()
        assert body["status"] == "ok"
        mails = api.sent_by(sender)
        assert len(mails) == number
        assert mails[-1]["messageId"] == body["message_id"]
        assert mails[-1]["from"] == f'"Sender Name" <{sender.address}>'
        assert mails[-1]["to"] == ['"Recipient Name" <recipient@example.net>']
        assert mails[-1]["subject"] == "Email Subject"
        bodies = api.server.mail_bodies(mails[-1])
        assert (bodies.text, bodies.html) == ("<Email content: html or text>", None)
