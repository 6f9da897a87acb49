"""Writing a message, and sending it exactly once."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.console.person import DOT, SECONDS, HeldRequest, Person, watched
from tests.e2e.api import Api, Sender


def sent(person: Person) -> list[dict[str, Any]]:
    return [
        mail
        for mail in person.api.server.sent_mails()
        if person.session()["address"] in mail["from"]
    ]


def test_a_whole_message(composing: Person) -> None:
    composing.write(
        your_name="Alice Sender",
        to='"Doe, John" <john@example.net>； carol@example.net',
        cc="dave@example.net",
        bcc="eve@example.net",
        reply_to="questions@example.com",
        subject="Invoice für März",
        message="Thank you.\n\nAlice",
    )
    composing.attach("invoice.txt", b"42.00")
    composing.send()
    expect(composing.heading("Invoice für März")).to_be_visible()
    expect(composing.page.get_by_text("Accepted by the provider")).to_be_visible()
    (mail,) = sent(composing)
    assert mail["from"].startswith('"Alice Sender"')
    assert mail["to"] == ['"Doe, John" <john@example.net>', "carol@example.net"]
    assert (mail["cc"], mail["bcc"]) == (["dave@example.net"], ["eve@example.net"])
    assert mail["replyTo"] == "questions@example.com"
    bodies = composing.api.server.mail_bodies(mail)
    assert (bodies.text, bodies.attachments) == ("Thank you.\n\nAlice", (b"42.00",))


@pytest.mark.slow
def test_inline_images_are_in_the_text(composing: Person) -> None:
    composing.write(html="<p>Look:</p>")
    composing.field("Message").press("End")
    composing.insert_image("dot.png")
    composing.page.get_by_role("tab", name="Preview").click()
    image = composing.preview().locator("img")
    expect(image).to_have_attribute("alt", "dot.png")
    assert image.evaluate("image => image.naturalWidth") == 1
    composing.send()
    expect(composing.heading("History")).to_be_visible()
    bodies = composing.api.server.mail_bodies(sent(composing)[0])
    assert bodies.html is not None
    assert bodies.html.startswith('<p>Look:</p><img src="cid:')
    assert bodies.attachments == (DOT,)


def test_errors_are_shown_at_their_fields(composing: Person) -> None:
    composing.write(to="bob@example.net, carol", subject="", message="", reply_to="nobody")
    composing.send()
    assert "carol: This is not one mail address" in composing.error_at("To")
    summary = composing.page.get_by_role("alert")
    expect(summary).to_be_focused()
    assert summary.get_by_role("listitem").count() == 4
    summary.get_by_role("button", name="Subject").click()
    expect(composing.field("Subject")).to_be_focused()
    composing.write(to="bob@example.net", message="Hello", subject="Hello")
    composing.send()
    composing.error_at("Reply to")
    composing.field("Reply to").fill("")
    composing.field("Subject").fill("")
    composing.send()
    assert "subject" in composing.error_at("Subject").lower()
    assert sent(composing) == []


@pytest.mark.slow
def test_errors_are_in_chinese(composing: Person) -> None:
    composing.page.get_by_label("Language").select_option("中文")
    composing.field("收件人").fill("bob")
    composing.field("主题").fill("你好")
    composing.field("正文").fill("你好")
    composing.button("发送").click()
    composing.field("收件人").wait_for()
    assert "邮" in composing.error_at("收件人").partition("bob:")[2]


@pytest.mark.slow
def test_the_error_names_a_rejected_file(composing: Person) -> None:
    composing.write()
    composing.attach("harmless\u202etxt.exe", b"MZ")
    composing.send()
    expect(composing.page.get_by_role("alert").first).to_contain_text("txt.exe:")
    composing.page.get_by_role("button", name="Remove harmless").click()
    composing.send()
    expect(composing.heading("History")).to_be_visible()


@pytest.mark.slow
def test_files_are_read_and_sent_with_progress(composing: Person) -> None:
    composing.write()
    composing.attach("large.bin", bytes(3_000_000), kind="application/octet-stream")
    expect(composing.page.get_by_text("2.9 MB of at most")).to_be_visible()
    shown = composing.page.evaluate_handle(
        """() => {
          const shown = [];
          new MutationObserver(() => {
            const bar = document.querySelector(".compose-end progress");
            if (bar) shown.push(bar.value);
          }).observe(document.body, { subtree: true, childList: true, attributes: true });
          return shown;
        }"""
    )
    composing.send()
    expect(composing.heading("History")).to_be_visible()
    assert max(shown.json_value()) > 0


def test_a_draft_survives_a_reload(composing: Person) -> None:
    composing.write(cc="dave@example.net", subject="Half of it", html="<p>Half of")
    composing.attach("kept.txt", b"kept")
    expect(composing.page.get_by_text("Draft saved")).to_be_visible()
    composing.page.reload()
    expect(composing.field("Subject")).to_have_value("Half of it")
    expect(composing.chips("Cc")).to_have_text(["dave@example.net"])
    expect(composing.field("Message")).to_have_value("<p>Half of")
    expect(composing.button("Remove kept.txt")).to_be_visible()
    composing.send()
    expect(composing.heading("History")).to_be_visible()
    assert composing.api.server.mail_bodies(sent(composing)[0]).attachments == (b"kept",)
    composing.open("compose")
    expect(composing.field("Subject")).to_have_value("")


@pytest.mark.slow
def test_the_draft_of_another_address_is_not_shown(composing: Person) -> None:
    composing.write(subject="Only mine")
    expect(composing.page.get_by_text("Draft saved")).to_be_visible()
    composing.sign_in()
    composing.open("compose")
    expect(composing.field("Subject")).to_have_value("")


@pytest.mark.slow
def test_a_draft_is_discarded_after_a_question(composing: Person) -> None:
    composing.write(subject="Not worth it")
    composing.button("Discard draft").click()
    dialog = composing.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Discard draft").click()
    expect(dialog).to_have_count(0)
    expect(composing.field("Subject")).to_have_value("")
    composing.page.reload()
    expect(composing.field("Subject")).to_have_value("")


def test_pressing_send_twice_sends_once(composing: Person) -> None:
    composing.write()
    composing.button("Send").dblclick()
    expect(composing.heading("History")).to_be_visible()
    assert len(sent(composing)) == 1


def test_sending_again_after_a_lost_response_sends_once(composing: Person) -> None:
    composing.write()
    composing.page.route("**/api/send_mail", lose_the_response, times=1)
    composing.send()
    expect(composing.page.get_by_role("alert")).to_contain_text("is sent only once")
    composing.page.reload()
    expect(composing.field("Subject")).to_have_value("Hello")
    expect(composing.page.get_by_text("It is unknown whether the message was sent")).to_be_visible()
    composing.send()
    expect(composing.heading("History")).to_be_visible()
    assert len(sent(composing)) == 1


@pytest.mark.slow
def test_a_refusal_is_one_sentence(person: Person) -> None:
    person.sign_in(person.api.new_sender(balance=0))
    person.open("compose")
    person.write()
    person.send()
    notice = person.page.get_by_role("alert").last
    expect(notice).to_contain_text("No balance.")
    expect(notice).not_to_contain_text("Failed to send mail")


@pytest.mark.slow
def test_without_a_connection_nothing_was_sent(composing: Person) -> None:
    composing.write()
    composing.page.context.set_offline(True)
    composing.send()
    notice = composing.page.get_by_role("alert")
    expect(notice).to_contain_text("You are offline. Nothing was sent.")
    expect(notice).to_contain_text("Not sent")
    composing.page.context.set_offline(False)
    composing.send()
    expect(composing.heading("History")).to_be_visible()
    assert len(sent(composing)) == 1


def replace_response(response: dict[str, Any]) -> Callable[[Route], None]:
    """Pass the request to the server, but send ``response`` to the browser."""

    def handle(route: Route) -> None:
        route.fetch()
        route.fulfill(**response)

    return handle


UNUSABLE: dict[str, dict[str, Any]] = {
    "a page": {"status": 500, "body": "<h1>Oops</h1>"},
    "a page as success": {"status": 200, "body": "<h1>Hello</h1>"},
    "null": {"status": 200, "body": "null"},
    "an empty object": {"status": 200, "body": "{}"},
    "errors as a text": {"status": 500, "body": '{"errors": "none"}'},
}


@pytest.mark.slow
def test_an_unusable_response_leaves_the_outcome_open(composing: Person) -> None:
    keys = set()
    composing.write()
    for response in UNUSABLE.values():
        composing.page.route("**/api/send_mail", replace_response(response), times=1)
        with composing.page.expect_response("**/api/send_mail") as asked:
            composing.send()
        keys.add(asked.value.request.headers["idempotency-key"])
        notice = composing.page.get_by_role("alert")
        expect(notice).to_contain_text("It is unknown whether the message was sent")
        expect(notice).to_contain_text("is sent only once")
        expect(composing.button("Send")).to_be_enabled()
    composing.send()
    expect(composing.heading("History")).to_be_visible()
    assert (len(sent(composing)), len(keys)) == (1, 1)


@pytest.mark.slow
def test_enter_sends_only_with_control(composing: Person) -> None:
    asked: list[str] = []
    composing.page.on("request", lambda request: asked.append(request.url))
    composing.write()
    for label in ("To", "Subject"):
        composing.field(label).press("Enter")
    expect(composing.page.get_by_text("Draft saved")).to_be_visible()
    assert not any("send_mail" in url for url in asked)
    composing.field("Message").press("Control+Enter")
    expect(composing.heading("History")).to_be_visible()
    assert len(sent(composing)) == 1


@pytest.mark.slow
def test_the_error_names_a_missing_image(composing: Person) -> None:
    composing.write(html="<p>Look:</p>")
    composing.insert_image("dot.png")
    composing.button("Remove dot.png").click()
    composing.send()
    assert "is not attached" in composing.error_at("Message")
    assert sent(composing) == []


def lose_the_response(route: Route) -> None:
    """Pass the request to the server, but send no response to the browser."""
    route.fetch()
    route.abort()


@pytest.mark.slow
def test_an_edit_after_a_lost_response_needs_a_decision(composing: Person) -> None:
    composing.write(subject="With a tpyo")
    composing.page.route("**/api/send_mail", lose_the_response, times=1)
    composing.send()
    expect(composing.page.get_by_role("alert")).to_contain_text("is sent only once")
    composing.field("Subject").fill("With a typo")
    composing.send()
    doubt = composing.page.get_by_role("alert")
    expect(doubt).to_contain_text("An earlier version was accepted")
    expect(doubt).to_be_focused()
    composing.page.reload()
    composing.send()
    expect(doubt).to_contain_text("An earlier version was accepted")
    assert [mail["subject"] for mail in sent(composing)] == ["With a tpyo"]
    expect(doubt.get_by_role("link", name="Open “Sent”")).to_be_visible()
    composing.button("Send this as a new message").click()
    expect(composing.heading("With a typo")).to_be_visible()
    assert len(sent(composing)) == 2


@pytest.mark.slow
def test_an_edit_after_a_lost_request_is_sent(composing: Person) -> None:
    composing.write()
    composing.page.route("**/api/send_mail", lambda route: route.abort(), times=1)
    composing.send()
    expect(composing.page.get_by_role("alert")).to_be_visible()
    composing.write_recipients("To", "nobody")
    composing.send()
    composing.error_at("To")
    composing.write_recipients("To", "carol@example.net")
    composing.send()
    expect(composing.heading("Hello")).to_be_visible()
    assert len(sent(composing)) == 1


@pytest.mark.slow
def test_an_old_attempt_needs_a_decision(composing: Person) -> None:
    composing.write()
    composing.page.route("**/api/send_mail", lose_the_response, times=1)
    composing.send()
    expect(composing.page.get_by_role("alert")).to_be_visible()
    composing.page.clock.set_fixed_time(datetime.now(UTC) + timedelta(hours=24))
    composing.send()
    doubt = composing.page.get_by_role("alert")
    expect(doubt).to_contain_text("This may have been sent already")
    assert len(sent(composing)) == 1
    composing.button("Send this as a new message").click()
    expect(composing.heading("Hello")).to_be_visible()
    assert len(sent(composing)) == 2


@pytest.mark.slow
def test_a_file_dropped_during_sending_is_ignored(composing: Person) -> None:
    held = HeldRequest(composing.page, "**/api/send_mail")
    composing.write()
    composing.send()
    route = held()
    composing.page.evaluate(
        """() => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File(["late"], "late.txt"));
          const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
          document.querySelector("form.compose").dispatchEvent(event);
        }"""
    )
    route.abort()
    expect(composing.page.get_by_role("alert")).to_contain_text("is sent only once")
    expect(composing.button("Remove late.txt")).to_have_count(0)


@pytest.mark.slow
@pytest.mark.parametrize("is_taken", [True, False])
def test_a_late_response_does_not_change_another_draft(composing: Person, is_taken: bool) -> None:
    session = composing.session()
    earlier = Sender(session["address"], 0, session["jwt"])
    copied = composing.api.send(earlier, subject="To be copied").json()
    held = HeldRequest(composing.page, "**/api/send_mail")
    composing.write(subject="Under way")
    composing.send()
    route = held()
    composing.open(f"sent/{copied['id']}")
    composing.button("Copy as new").click()
    composing.page.get_by_role("dialog").get_by_role("button", name="Replace draft").click()
    expect(composing.field("Subject")).to_have_value("To be copied")
    if is_taken:
        route.continue_()
        expect(composing.page.get_by_text("Message sent")).to_be_visible()
    else:
        route.abort()
        expect(composing.page.get_by_text("No usable response arrived")).to_be_visible()
    composing.page.wait_for_timeout(300)
    expect(composing.field("Subject")).to_have_value("To be copied")
    composing.page.reload()
    expect(composing.field("Subject")).to_have_value("To be copied")


def leave_and_return(person: Person) -> None:
    person.page.get_by_role("link", name="Usage").click()
    expect(person.heading("Usage")).to_be_visible()
    person.page.get_by_role("link", name="Compose").click()
    expect(person.field("Subject")).to_have_value("Under way")


def return_during_a_send(composing: Person) -> Route:
    """Leave the screen while a message is sent, and return; the request is held."""
    held = HeldRequest(composing.page, "**/api/send_mail")
    composing.write(subject="Under way")
    composing.send()
    route = held()
    leave_and_return(composing)
    expect(composing.page.get_by_role("button", name="Sending")).to_be_visible()
    return route


@pytest.mark.slow
def test_the_screen_shows_again_a_draft_that_is_being_sent(composing: Person) -> None:
    route = return_during_a_send(composing)
    expect(composing.field("Subject")).to_be_disabled()
    expect(composing.page.get_by_text("It is unknown whether")).to_have_count(0)
    route.continue_()
    expect(composing.page.get_by_text("Message sent")).to_be_visible()
    expect(composing.field("Subject")).to_have_value("")
    expect(composing.page.get_by_text("It is unknown whether")).to_have_count(0)
    composing.write(subject="The next one")
    composing.send()
    expect(composing.heading("The next one")).to_be_visible()
    assert [mail["subject"] for mail in sent(composing)] == ["Under way", "The next one"]


@pytest.mark.slow
@pytest.mark.parametrize("is_lost", [True, False])
def test_a_draft_that_was_not_sent_can_be_edited_after_a_return(
    composing: Person, is_lost: bool
) -> None:
    route = return_during_a_send(composing)
    if is_lost:
        route.abort()
    else:
        route.fulfill(status=400, body=json.dumps({"code": "invalid_recipient", "detail": "No"}))
    expect(composing.button("Send")).to_be_enabled()
    expect(composing.field("Subject")).to_have_value("Under way")
    unknown = composing.page.get_by_text("It is unknown whether")
    expect(unknown).to_have_count(1 if is_lost else 0)


@pytest.mark.slow
def test_a_file_that_is_read_after_the_screen_was_left_is_shown(composing: Person) -> None:
    composing.page.evaluate(
        """() => {
          const read = FileReader.prototype.readAsArrayBuffer;
          FileReader.prototype.readAsArrayBuffer = function (file) {
            window.readNow = () => read.call(this, file);
          };
        }"""
    )
    composing.write(subject="Under way")
    chooser = composing.page.locator("input[type=file]").first
    chooser.set_input_files({"name": "late.txt", "mimeType": "text/plain", "buffer": b"late"})
    expect(composing.page.get_by_text("late.txt")).to_be_visible()
    leave_and_return(composing)
    composing.page.evaluate("readNow()")
    expect(composing.button("Remove late.txt")).to_be_visible()


@pytest.mark.slow
def test_a_response_after_signing_out_restores_no_draft(composing: Person) -> None:
    held = HeldRequest(composing.page, "**/api/send_mail")
    composing.write(subject="A secret")
    composing.send()
    route = held()
    composing.sign_out_and_discard()
    expect(composing.page.get_by_role("tab", name="Credential")).to_be_visible()
    route.fulfill(status=400, body=json.dumps({"code": "invalid_recipient", "detail": "No"}))
    composing.page.wait_for_timeout(500)
    assert composing.page.evaluate(KEPT) == [0, 0]


@pytest.mark.slow
def test_a_credential_that_is_rejected_is_a_definite_rejection(composing: Person) -> None:
    session = composing.session()
    composing.write(subject="Not sent")
    headers = {"Authorization": f"Bearer {session['jwt']}"}
    jwt = composing.api.post("/api/rotate_credential", headers=headers).json()["jwt"]
    composing.send()
    expect(composing.page.get_by_text("Your credential is no longer valid")).to_be_visible()
    composing.sign_in(Sender(session["address"], 0, jwt))
    composing.open("compose")
    expect(composing.field("Subject")).to_have_value("Not sent")
    expect(composing.page.get_by_text("It is unknown whether")).to_have_count(0)


@pytest.mark.slow
@pytest.mark.parametrize("code", ["sending_paused", "too_many_large_bodies"])
def test_sending_that_is_not_possible_now_is_a_definite_rejection(
    composing: Person, code: str
) -> None:
    body = json.dumps({"code": code, "detail": "Not now"})
    composing.page.route(
        "**/api/send_mail", lambda route: route.fulfill(status=503, body=body), times=1
    )
    composing.write()
    composing.send()
    expect(composing.page.get_by_role("alert")).to_contain_text("Not now")
    composing.page.reload()
    expect(composing.field("Subject")).to_have_value("Hello")
    expect(composing.page.get_by_text("It is unknown whether")).to_have_count(0)


@pytest.mark.slow
def test_text_typed_just_before_signing_out_is_not_kept(composing: Person) -> None:
    composing.page.evaluate("window.signOut = document.querySelector('.account-actions .link')")
    composing.write(subject="A secret")
    composing.page.evaluate("signOut.click()")
    composing.page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    expect(composing.page.get_by_role("tab", name="Credential")).to_be_visible()
    composing.page.wait_for_timeout(500)
    assert composing.page.evaluate(KEPT) == [0, 0]


# The numbers of drafts and of files that the browser stores.
KEPT = """() => new Promise((resolve) => {
  indexedDB.open("drafts").onsuccess = ({ target }) => {
    const transaction = target.result.transaction(["drafts", "files"]);
    const counts = ["drafts", "files"].map((name) => transaction.objectStore(name).count());
    transaction.oncomplete = () => resolve(counts.map(({ result }) => result));
  };
})"""


@pytest.mark.slow
def test_files_are_kept_once_and_removed_with_the_draft(composing: Person) -> None:
    composing.page.evaluate(
        """() => {
          window.written = [];
          const put = IDBObjectStore.prototype.put;
          IDBObjectStore.prototype.put = function (...given) {
            written.push(this.name);
            return put.apply(this, given);
          };
        }"""
    )
    saved = composing.page.get_by_text("Draft saved")
    composing.write()
    composing.attach("one.txt", b"one")
    composing.attach("two.txt", b"two")
    expect(saved).to_be_visible()
    composing.field("Subject").fill("Another")
    expect(saved).not_to_be_visible()
    expect(saved).to_be_visible()
    assert composing.page.evaluate("written.filter((name) => name === 'files').length") == 2
    composing.button("Remove one.txt").click()
    expect(saved).not_to_be_visible()
    expect(saved).to_be_visible()
    assert composing.page.evaluate(KEPT) == [1, 1]
    composing.page.reload()
    expect(composing.button("Remove two.txt")).to_be_visible()
    composing.send()
    expect(composing.heading("Another")).to_be_visible()
    assert composing.api.server.mail_bodies(sent(composing)[0]).attachments == (b"two",)
    assert composing.page.evaluate(KEPT) == [0, 0]


@pytest.mark.slow
def test_files_stay_after_an_unknown_outcome(composing: Person) -> None:
    def fulfil(route: Route) -> None:
        body = {"code": "outcome_unknown", "detail": "No answer came", "id": "an-id"}
        route.fulfill(status=502, body=json.dumps(body))

    composing.write()
    composing.attach("kept.txt", b"kept")
    composing.page.route("**/api/send_mail", fulfil, times=1)
    with composing.page.expect_request("**/api/send_mail") as first:
        composing.send()
    doubt = composing.page.get_by_role("alert")
    expect(doubt).to_contain_text("It is unknown whether the message was sent")
    link = doubt.get_by_role("link", name="Open the message")
    expect(link).to_have_attribute("href", "#/sent/an-id")
    composing.page.reload()
    expect(composing.button("Remove kept.txt")).to_be_visible()
    with composing.page.expect_request("**/api/send_mail") as second:
        composing.send()
    key = "idempotency-key"
    assert first.value.headers[key] == second.value.headers[key]


@pytest.mark.slow
def test_a_repeated_request_shows_the_status_of_the_message(composing: Person) -> None:
    session = composing.session()
    earlier = Sender(session["address"], 0, session["jwt"])
    cancelled = composing.api.send(earlier, subject="Cancelled").json()

    def fulfil(route: Route) -> None:
        route.fulfill(status=202, body=json.dumps({"status": "cancelled", "id": cancelled["id"]}))

    composing.write()
    composing.page.route("**/api/send_mail", fulfil, times=1)
    composing.send()
    expect(composing.heading("Cancelled")).to_be_visible()
    expect(composing.page.locator(".toasts")).to_have_text("")


@pytest.mark.slow
def test_the_preview_opens_after_the_text_was_rejected(composing: Person) -> None:
    composing.write(html="<p>Hello</p>")

    def fulfil(route: Route) -> None:
        errors = [{"field": "content", "message": "Not this text"}]
        body = {"code": "invalid_content", "detail": "Not this text", "errors": errors}
        route.fulfill(status=400, body=json.dumps(body))

    composing.page.get_by_role("tab", name="Preview").click()
    composing.page.route("**/api/send_mail", fulfil, times=1)
    composing.send()
    composing.error_at("Message")
    composing.page.get_by_role("tab", name="Preview").click()
    expect(composing.preview().locator("p")).to_have_text("Hello")


@pytest.mark.slow
def test_two_windows_with_one_draft_send_once(composing: Person) -> None:
    composing.write()
    expect(composing.page.get_by_text("Draft saved")).to_be_visible()
    with composing.page.expect_popup() as opened:
        composing.page.evaluate("open(location.href)")
    other = opened.value
    expect(other.get_by_label("Subject")).to_have_value("Hello")
    # The other window is frozen, so it does not receive the notice that the draft was sent.
    composing.page.evaluate("BroadcastChannel.prototype.postMessage = () => undefined")
    composing.send()
    expect(composing.heading("History")).to_be_visible()
    other.get_by_role("button", name="Send").click()
    expect(other.get_by_role("heading", name="History")).to_be_visible()
    assert len(sent(composing)) == 1


@pytest.mark.slow
def test_a_message_that_the_provider_rejects_can_be_edited(composing: Person) -> None:
    composing.write(to="suppressed@test.invalid")
    composing.send()
    alert = composing.page.get_by_role("alert")
    expect(alert).to_contain_text("The provider rejected the message")
    expect(alert.get_by_role("link", name="Open the message")).to_be_visible()
    composing.write_recipients("To", "delivered@test.invalid")
    composing.send()
    expect(composing.heading("History")).to_be_visible()
    expect(composing.page.get_by_text("Delivered").first).to_be_visible()


@pytest.mark.slow  # half a minute: the timeout of the provider
def test_an_unknown_outcome_is_shown_and_not_sent_again(composing: Person) -> None:
    composing.write(to="slow@test.invalid")
    composing.send()
    expect(composing.page.get_by_text("It is unknown whether the message was sent")).to_be_visible(
        timeout=40 * SECONDS
    )
    expect(composing.button("Send again")).to_be_visible()
    # The late response appears without a reload.
    expect(composing.page.get_by_text("Accepted by the provider")).to_be_visible(
        timeout=40 * SECONDS
    )
    expect(composing.button("Send again")).not_to_be_visible()


@pytest.mark.slow
def test_a_time_is_in_the_time_zone_of_the_browser(browser: Browser, api: Api) -> None:
    with (
        browser.new_context(locale="en-GB", timezone_id="Asia/Shanghai") as context,
        watched(context, api),
    ):
        person = Person(context.new_page(), api)
        sender = person.sign_in()
        person.open("compose")
        person.write()
        person.page.get_by_label("Later").check()
        there = datetime.now(UTC) + timedelta(hours=8, days=2)
        person.field("Send at").fill(there.strftime("%Y-%m-%dT%H:%M"))
        person.button("Schedule").click()
        expect(person.page.get_by_text("Scheduled").first).to_be_visible()
        (row,) = api.messages_of(sender)
        due = datetime.fromtimestamp(row["scheduled_at"] / 1000, UTC)
        assert due == (there - timedelta(hours=8)).replace(second=0, microsecond=0)


@pytest.mark.slow
def test_a_time_too_far_in_the_future_is_an_error_of_its_field(composing: Person) -> None:
    composing.write()
    composing.page.get_by_label("Later").check()
    composing.field("Send at").fill("2199-01-01T00:00")
    composing.button("Schedule").click()
    assert "Choose a time in the future" in composing.error_at("Send at")
    composing.field("Send at").fill("")
    composing.field("Send at").press_sequentially("01012199")  # a date without a time
    composing.button("Schedule").click()
    assert "Choose a time in the future" in composing.error_at("Send at")


@pytest.mark.slow
def test_the_request_contains_only_the_draft(composing: Person) -> None:
    """The request contains only what was written, and the credential only in its header."""
    composing.write()
    with composing.page.expect_request("**/api/send_mail") as asked:
        composing.send()
    request = asked.value
    body = json.loads(request.post_data or "")
    assert body == {
        "from_name": "",
        "to": ["bob@example.net"],
        "cc": [],
        "bcc": [],
        "subject": "Hello",
        "content": "Hello, Bob",
        "is_html": False,
        "attachments": [],
    }
    assert composing.session()["jwt"] not in request.url
