"""Finding messages: the filters, their place in the address, and the export."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.console.person import Person
from tests.e2e.api import Sender


@pytest.fixture
def sender(person: Person) -> Sender:
    sender = person.sign_in()
    tags = [{"name": "kind", "value": "order"}]
    person.api.send(sender, subject="For Bob", to_mail="bob@example.net", tags=tags)
    person.api.send(sender, subject="=For Carol", to_mail="carol@example.org")
    return sender


@pytest.mark.parametrize("of_all", [False, True], ids=["own", "of all"])
def test_filters_stand_in_the_address(person: Person, sender: Sender, of_all: bool) -> None:
    if of_all:
        person.enter_administration()
    person.open(f"admin/sent?address={sender.address}" if of_all else "sent")
    expect(person.messages()).to_have_count(2)
    if not of_all:
        person.page.get_by_role("button", name="Filters").click()
    person.field("Recipient").fill("example.net")
    person.field("Tag").fill("kind:order")
    person.button("Apply").click()
    expect(person.messages()).to_have_count(1)
    expect(person.messages()).to_contain_text("For Bob")
    person.page.reload()
    expect(person.messages()).to_have_count(1)
    expect(person.field("Tag")).to_have_value("kind:order")
    person.page.get_by_role("link", name="For Bob").click()
    expect(person.heading("History")).to_be_visible()
    person.page.get_by_role("link", name="All messages").click()
    expect(person.field("Recipient")).to_have_value("example.net")
    person.page.go_back()
    person.page.go_back()
    person.page.go_back()
    expect(person.messages()).to_have_count(2)


def test_a_message_is_found_by_its_ids(person: Person, sender: Sender) -> None:
    listed = person.api.get("/api/sendbox", headers=sender.headers).json()
    (*_, first) = listed["results"]
    message = person.api.message(sender, first["id"])
    person.open("sent")
    for known in (message["id"], f"<{message['message_id'].strip('<>')}>", message["request_id"]):
        expect(person.messages()).to_have_count(2)
        person.field("Search").fill(known)
        expect(person.messages()).to_have_count(1)
        expect(person.messages()).to_contain_text("For Bob")
        person.open("sent")


@pytest.mark.slow
def test_days_and_a_status_are_filters(person: Person, sender: Sender) -> None:
    person.open("sent?since=2999-01-01")
    expect(person.heading("Nothing found")).to_be_visible()
    person.page.get_by_role("link", name="Clear all filters").last.click()
    expect(person.messages()).to_have_count(2)
    person.field("Status").select_option("Failed")
    expect(person.heading("Nothing found")).to_be_visible()
    person.open("sent?status=nonsense&since=yesterday")
    expect(person.messages()).to_have_count(2)


@pytest.mark.slow
def test_a_filter_finds_messages_far_back(person: Person, sender: Sender) -> None:
    empty = '{"results": [], "next_cursor": "019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e8f"}'
    asked: list[str] = []

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        if len(asked) < 3:
            route.fulfill(body=empty, content_type="application/json")
        else:
            route.continue_(url=route.request.url.replace("019a9f60", "ffffffff"))

    person.page.route("**/api/sendbox?*", answer)
    person.open("sent?status=sent")
    expect(person.messages()).to_have_count(2)
    assert len(asked) == 3


@pytest.mark.slow
@pytest.mark.parametrize("of_all", [False, True], ids=["own", "of all"])
def test_the_filtered_messages_are_saved_as_csv(
    person: Person, sender: Sender, of_all: bool, tmp_path: Path
) -> None:
    if of_all:
        person.enter_administration()
    place = f"admin/sent?address={sender.address}&" if of_all else "sent?"
    person.open(f"{place}recipient=carol@example.org")
    expect(person.messages()).to_have_count(1)
    with person.page.expect_download() as saved:
        person.button("Export CSV").click()
    saved.value.save_as(tmp_path / "messages.csv")
    expect(person.page.get_by_role("dialog")).to_contain_text("1 messages saved")
    text = (tmp_path / "messages.csv").read_text("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["subject"], row["first_recipient"]) == ("'=For Carol", "carol@example.org")
    assert (row["sender"], row["status"], row["recipients"]) == (sender.address, "sent", "1")
