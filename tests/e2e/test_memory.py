"""The memory of the worker's process while it gets the worst requests, eight at once.

In production, an isolate may use 128 MB. If it uses more, the platform ends it, even while it sends
messages. Locally there is no limit. So every few milliseconds, the tests read the resident memory
of the workerd process that runs the worker. Only the growth since the worker was idle counts,
because the memory of an idle process includes the whole engine. Each test has its own server: the
process keeps memory that it has used once, so a second test would measure a smaller growth. The
database and the provider's stand-in run in the same process, and nothing makes them free memory
early. So large messages are sent to the sandbox, not to the stand-in.
"""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT, Api, Sender, mail
from tools.local_server import LocalServer

MB = 1_000_000
MOST = 128 * MB
AT_ONCE = 8
WIDE = "a" * 9_700_000 + "\U0001f600"  # four bytes a character in Python


class Memory:
    """Measures the resident memory of the process that runs the worker.

    This is the largest workerd process in the process group ``group``. The worker must be idle when
    the ``Memory`` is made.
    """

    def __init__(self, group: int) -> None:
        self._process = max(_engines(group), key=_resident)
        self._idle = _resident(self._process)
        self._stop = threading.Event()

    def growth_during(self, call: Callable[[], object]) -> int:
        """The largest memory during ``call``, in bytes more than that of the idle worker.

        :raises ProcessLookupError: the process has ended.
        """
        with ThreadPoolExecutor(1) as pool:
            self._stop.clear()
            peak = pool.submit(self._peak)
            try:
                call()
            finally:
                self._stop.set()
        return peak.result() - self._idle

    def _peak(self) -> int:
        peak = _resident(self._process)
        while not self._stop.wait(0.005):
            peak = max(peak, _resident(self._process))
        return max(peak, _resident(self._process))


def _engines(group: int) -> Iterator[Path]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name, _, after_name = (process / "stat").read_text().rpartition(")")
        except OSError:
            continue
        if name.endswith("(workerd") and int(after_name.split()[2]) == group:
            yield process


def _resident(process: Path) -> int:
    try:
        lines = (process / "status").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(f"{process} has ended")


VARIABLES = {
    **DEPLOYMENT,
    "ENABLE_ADDRESS_PASSWORD": "true",
    "SEND_RATE_LIMIT": "",
    "MAX_SANDBOX_BYTES_PER_DAY": "0",
    "MAX_SANDBOX_RECIPIENTS_PER_DAY": "0",
}


@pytest.fixture
def own() -> Iterator[Api]:
    with LocalServer(variables=VARIABLES) as server:
        yield Api(server)


def idle_memory(api: Api) -> Memory:
    warm_up(api)
    return Memory(api.server.process_group)


def warm_up(api: Api) -> None:
    """Send the first requests, so that what they load counts as memory of the idle worker."""
    sender = api.new_sender(balance=10)
    for _ in range(3):
        assert api.send(sender, content="a" * 100_000).status_code == 200
        api.get("/api/sendbox", headers=sender.headers)
        api.get("/emails", headers=sender.headers)


def attack(path: str, content: Any) -> tuple[str, bytes]:
    return path, content if isinstance(content, bytes) else json.dumps(
        content, ensure_ascii=False
    ).encode()


ATTACKS = {
    "atoms": lambda: attack("/api/address_login", {"email": "a." * 4_900_000 + "@x.com"}),
    "compatibility forms": lambda: attack(
        "/api/address_login", {"email": "a@" + "\ufdfa" * 3_200_000, "password": "x"}
    ),
    "lists": lambda: attack(
        "/open_api/credential_login",
        b'{"a":[' + b"[]," * 200 + b'"",' * 3_200_000 + b"1]}",
    ),
    "numbers": lambda: attack(
        "/external/api/send_mail", b'{"token":"x","a":[' + b"1.5," * 2_400_000 + b"1]}"
    ),
    "recipient": lambda: attack("/api/send_mail", mail(to="a." * 4_800_000 + "@x.com")),
    "quoted name": lambda: attack(
        "/api/send_mail", mail(to='"' + "\\a" * 3_200_000 + '" <b@c.de>')
    ),
    "wide text": lambda: attack("/api/send_mail", mail(content=WIDE)),
    "batch": lambda: attack("/emails/batch", b"[" + b"0," * 4_900_000 + b"0]"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ATTACKS)
def test_eight_of_the_worst_requests_fit_into_a_worker(own: Api, name: str) -> None:
    path, body = ATTACKS[name]()
    sender = own.new_sender(balance=10)
    memory = idle_memory(own)
    growth = memory.growth_during(lambda: at_once(own, "POST", path, sender, data=body))
    print(f"{name}: {growth / MB:.0f} MB")
    assert growth < MOST


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/api/sendbox?limit=100", "/emails?limit=100"])
def test_eight_of_the_largest_pages_fit_into_a_worker(own: Api, path: str) -> None:
    sender = own.new_sender(balance=0)
    body = mail(to_mail="delivered@test.invalid", content="\x01" * 65_500)
    for _ in range(100):
        sent = own.post("/api/send_mail", body, headers=sender.headers)
        assert sent.status_code == 200, sent.text
    own.server.restart()  # so that the memory of sending is free again
    memory = idle_memory(own)
    growth = memory.growth_during(lambda: at_once(own, "GET", path, sender))
    print(f"{path}: {growth / MB:.0f} MB")
    assert growth < MOST


TEXTS = {
    "controls": "\x01" * 1_700_000,
    "shown whole": "a" * 1_040_000 + "\U0001f600",
}


def stored(api: Api, sender: Sender, to: str, text: str, *, status: int) -> str:
    """The id of a message with this text, after a restart, which frees the memory of sending."""
    body = mail(to_mail=to, content=text)
    sent = api.post("/api/send_mail", body, headers=sender.headers)
    assert sent.status_code == status, sent.text
    api.server.restart()
    return str(sent.json()["id"])


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("path", ["/api/sendbox", "/admin/sendbox", "/emails"])
def test_eight_views_of_the_largest_message_fit_into_a_worker(
    own: Api, path: str, text: str
) -> None:
    sender = own.new_sender(balance=0)
    message_id = stored(own, sender, "delivered@test.invalid", TEXTS[text], status=200)
    memory = idle_memory(own)
    view = f"{path}/{message_id}"
    growth = memory.growth_during(lambda: at_once(own, "GET", view, sender))
    print(f"{path}, {text}: {growth / MB:.0f} MB")
    assert growth < MOST


LARGE = {"controls": "\x01" * 1_700_000, "letters": "a" * 3_600_000}


@pytest.mark.slow
def test_eight_of_the_largest_messages_fit_into_a_worker(own: Api) -> None:
    sender = own.new_sender(balance=0)
    memory = idle_memory(own)
    body = json.dumps(mail(to_mail="delivered@test.invalid", content=LARGE["letters"])).encode()
    growth = memory.growth_during(lambda: at_once(own, "POST", "/api/send_mail", sender, data=body))
    print(f"sends: {growth / MB:.0f} MB")
    assert growth < MOST


@pytest.mark.slow
@pytest.mark.parametrize("text", LARGE)
def test_eight_retries_of_the_largest_message_fit_into_a_worker(own: Api, text: str) -> None:
    sender = own.new_sender(balance=0)
    message_id = stored(own, sender, "suppressed@test.invalid", LARGE[text], status=502)
    memory = idle_memory(own)
    retry = f"/api/sendbox/{message_id}/retry"
    statuses: list[int] = []
    growth = memory.growth_during(lambda: statuses.extend(at_once(own, "POST", retry, sender)))
    print(f"retries, {text}: {growth / MB:.0f} MB")
    assert growth < MOST
    assert sorted(statuses) == [409] * 7 + [502]


def at_once(api: Api, method: str, path: str, sender: Sender, **options: Any) -> list[int]:
    headers = {
        **sender.headers,
        "x-admin-auth": ADMIN_PASSWORD,
        "Content-Type": "application/json",
    }

    def call(_: int) -> requests.Response:
        return api.call(method, path, headers=headers, timeout=120, **options)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        responses = list(pool.map(call, range(AT_ONCE)))
    statuses = [response.status_code for response in responses]
    assert set(statuses) <= {200, 400, 401, 409, 413, 422, 502}
    assert api.get("/health_check").status_code == 200
    return statuses


@pytest.mark.slow
def test_the_memory_of_a_process_that_has_ended_is_an_error() -> None:
    with LocalServer(variables=DEPLOYMENT) as server:
        memory = Memory(server.process_group)
        assert memory.growth_during(lambda: None) < MOST
        with pytest.raises(ProcessLookupError):
            memory.growth_during(server.kill)


# An isolate may use 128 MB. Python's memory grows to about 68 MB of it and never shrinks, and
# JavaScript's buffers take some of the rest.
HEAP_LEFT = 44


@pytest.mark.slow
def test_eight_of_the_largest_batches_need_no_larger_heap_than_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """V8 ends the process if what JavaScript still refers to does not fit into its heap.

    Resident memory would not show this: V8 collects garbage late while its heap may grow.
    """
    monkeypatch.setenv("MINIFLARE_WORKERD_V8_FLAGS", f"--max-old-space-size={HEAP_LEFT}")
    html = "<p>" + "ab <b>c</b> " * 8_000 + "</p>"
    with LocalServer(variables=VARIABLES) as server:
        api = Api(server)
        sender = api.new_sender(balance=0)
        message = {
            "from": sender.address,
            "to": ["delivered@test.invalid"],
            "subject": "Report",
            "html": html,
        }
        body = json.dumps([message] * 100).encode()
        statuses = at_once(api, "POST", "/emails/batch", sender, data=body)
    assert statuses == [200] * AT_ONCE
