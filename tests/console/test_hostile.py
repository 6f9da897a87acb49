"""Hostile text in any field is shown as text, runs no code, and breaks no screen."""

import pytest
from playwright.sync_api import expect

from tests.console.person import Person
from tests.e2e.api import Sender, mail

pytestmark = pytest.mark.slow  # many tests

SCRIPTS = (
    "<script>window.owned=1</script>"
    "<img src=x onerror=window.owned=1>"
    "\"'><svg onload=window.owned=1>{{constructor.constructor('window.owned=1')()}}"
    "${window.owned=1}javascript:window.owned=1"
)
LONG = "W" * 900
TURNED = "\u05e9\u05dc\u05d5\u05dd (\u0627\u0644\u0633\u0644\u0627\u0645 \u2067abc) \u202b123"
PILED = "Z" + "\u0335\u0321\u034e\u035d" * 200
TEXTS = {"scripts": SCRIPTS, "long": LONG, "turned": TURNED, "piled": PILED}

every_text = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)


def send_with(person: Person, sender: Sender, text: str) -> str:
    """Send ``text`` in every field that accepts it; return the id of the message."""
    fields = {
        "subject": text,
        "content": text * 20,
        "from_name": text[:150],
        "to_name": text[:150],
        "reply_to": {"email": "a@example.net", "name": text[:150]},
        "attachments": [{"filename": text[:100].replace("/", "|"), "content": "QQ=="}],
        "headers": {"X-Text": text[:400]},
    }
    headers = {**sender.headers, "x-error-format": "json"}
    # Remove the fields that the server rejects, until it accepts the rest.
    while True:
        response = person.api.post("/api/send_mail", mail(**fields), headers=headers)
        if response.status_code == 200:
            message_id: str = response.json()["id"]
            return message_id
        rejected = {
            error["field"].split("[")[0].split(".")[0] for error in response.json()["errors"]
        }
        assert rejected, response.text
        for name in rejected:
            fields.pop(name) if name not in ("subject", "content") else fields.update({name: "x"})


@every_text
def test_hostile_text_in_a_message(person: Person, text: str) -> None:
    sender = person.sign_in()
    message_id = send_with(person, sender, text)
    for place in ("sent", f"sent/{message_id}"):
        person.open(place)
        for width in (1200, 360):
            person.page.set_viewport_size({"width": width, "height": 800})
            person.page.wait_for_timeout(100)
            assert not person.is_wider_than_the_screen()
    person.button("Copy as new").click()
    expect(person.heading("New message")).to_be_visible()
    assert person.page.evaluate("window.owned") is None


@every_text
def test_hostile_text_in_a_draft(person: Person, text: str) -> None:
    person.sign_in()
    person.open("compose")
    person.write(
        your_name=text, to=text, cc=text, bcc=text, reply_to=text, subject=text, message=text
    )
    person.attach(text.replace("/", "|")[:60], b"A")
    person.send()
    expect(person.page.get_by_text("Not sent")).to_be_visible()
    for width in (1200, 360):
        person.page.set_viewport_size({"width": width, "height": 800})
        assert not person.is_wider_than_the_screen()
    assert person.page.evaluate("window.owned") is None


@every_text
def test_hostile_text_in_a_search(person: Person, text: str) -> None:
    person.sign_in()
    person.open("sent")
    person.field("Search").fill(text)
    expect(person.page.get_by_role("heading", name="Nothing")).to_be_visible()
    assert not person.is_wider_than_the_screen()


@pytest.mark.parametrize(
    "place",
    [
        *("sent?q=%3Cimg%20src=x%20onerror=window.owned=1%3E", "sent?cursor=%3Cscript%3E"),
        *("sent/%3Cscript%3Ewindow.owned=1%3C%2Fscript%3E", "sent/..%2F..%2Fopen_api%2Fsettings"),
        *("sent/../../../admin/usage", "javascript:window.owned=1", "%E0%A4%A", "__proto__"),
        *("constructor/x", "admin/__proto__", "//evil.example/"),
    ],
)
def test_a_hostile_url(person: Person, place: str) -> None:
    person.sign_in()
    person.open(place)
    assert person.page.evaluate("window.owned") is None
    assert person.page.url.startswith(person.url)


@pytest.mark.parametrize("stored", ["{", "null", "[]", '"x"', '{"jwt": 5}', '{"address": {}}'])
def test_invalid_values_in_the_storage(person: Person, stored: str) -> None:
    person.page.goto(f"{person.url}/icon.svg")
    person.page.evaluate("stored => { sessionStorage.session = stored }", stored)
    person.open()
    expect(person.page.get_by_role("link", name="Start")).to_be_visible()


def test_a_very_long_credential(person: Person) -> None:
    person.open()
    person.page.get_by_role("tab", name="Credential").click()
    person.field("Credential").fill("A" * 100_000)
    person.button("Sign in").click()
    person.error_at("Credential")
    assert not person.is_wider_than_the_screen()


BLOCKED = """
for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("", "SecurityError"); } });
}
"""


def test_a_browser_without_storage(person: Person) -> None:
    person.page.add_init_script(BLOCKED)
    person.open()
    person.button("Create a random address").click()
    person.write_first_message()
    person.write()
    expect(person.page.get_by_text("This browser does not keep drafts")).to_be_visible()
    person.send()
    expect(person.heading("History")).to_be_visible()
