"""``TestClient``: an application in the process of the test."""

import asyncio
import contextlib
import io
import json
import time
import urllib.parse
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Self, TypeVar

import requests
from requests.structures import CaseInsensitiveDict

from application import respond
from sending.delivery_events import process_events
from sending.jobs import process_queue, run_cron
from sending.webhooks import process_webhooks
from services import Fetch, HttpResponse, QueuedEvent, Services
from store.database import Row
from tests.client.loop import VirtualLoop
from tests.client.ports import (
    InvocationDatabase,
    LimitedSubrequests,
    LocalEventQueue,
    LocalQueue,
    LoseResponses,
    ScriptedResolver,
    UnlimitedMemory,
    WindowRateLimiter,
    derive_key,
    post,
)
from tests.client.provider import ScriptedBinding, Taken
from tests.client.receiver import ScriptedReceiver
from tests.client.streams import connect
from tests.client.waiting import AsyncioWaiting
from tests.unit.sqlite_database import SqliteDatabase
from tools.local_server import MailBodies
from transport.factory import make_transport
from transport.outcome import Transport
from transport.routing import TransportConfig
from transport.send_email import SendEmailTransport
from web.request import Body, Request, RequestHead

T = TypeVar("T")

# (url, headers, body) -> the response.
Respond = Callable[[str, dict[str, str], bytes], Awaitable[HttpResponse]]


async def no_response(url: str, headers: dict[str, str], body: bytes) -> HttpResponse:
    """Raise the exception of a server that can't be reached."""
    raise OSError


_BASE = "http://localhost"


class TestClient:
    """A deployment in the test's own process; it has the parts of ``LocalServer`` that tests use.

    ``provider`` is its ``send_email`` binding; ``log_text`` is its log as printed.
    ``invocations`` has the subrequests of each request, queue batch and run of the cron so far.
    ``resolver`` responds to its DNS lookups, ``receiver`` to the deliveries of its webhooks.
    ``transports`` replaces transports by name; the functions take the key of the message.
    ``resend`` responds to requests for Resend's API. ``pages`` are the responses to GET requests.
    ``clock_error`` is added to the time that the deployment reads, in milliseconds.
    ``lose_responses`` is called before and after each batch of the database, with ``"before"`` or
    ``"after"`` and the statements of the batch. If it returns True, the batch raises
    ``DatabaseUnavailable``.
    The time of the deployment is virtual; ``elapsed`` of a response is real time.
    """

    __test__ = False
    url = _BASE

    def __init__(
        self,
        variables: Mapping[str, Any],
        *,
        queue: bool = True,
        transport: bool = True,
        event_queue: bool = True,
        webhook_queue: bool = True,
        has_database: bool = True,
        rate_limit: int | None = 1_000_000,
        database: SqliteDatabase | None = None,
        beside: "TestClient | None" = None,
    ) -> None:
        """Make a deployment.

        variables: its variables and secrets.
        queue, transport, event_queue, webhook_queue, has_database: whether it has these bindings.
        rate_limit: how many requests per minute and key RATE_LIMITER admits; None: no binding.
        database: the database of an earlier deployment; None creates a new one.
        beside: a deployment that runs at the same time. Both have the same database, provider and
            time, so the tasks of both run whenever one of them waits.
        """
        self.database: SqliteDatabase = database or (
            beside.database if beside else SqliteDatabase()
        )
        self.provider: ScriptedBinding = beside.provider if beside else ScriptedBinding()
        self.clock_error = 0
        self.log_text = ""
        self.resolver = ScriptedResolver()
        self.receiver = ScriptedReceiver(self.now)
        self.transports: dict[str, Callable[[str], Transport]] = {}
        self.resend: Respond = no_response
        self.pages: dict[str, HttpResponse] = {}
        self.invocations: list[LimitedSubrequests] = []
        self.lose_responses: LoseResponses = lambda when, statements: False
        self._variables = json.dumps(dict(variables))
        self._has_queue, self._has_transport = queue, transport
        self._has_event_queue = event_queue
        self._has_webhook_queue = webhook_queue
        self._queue_is_broken = False
        self._has_database = has_database
        self._beside = beside
        self._loop: VirtualLoop = beside._loop if beside else VirtualLoop()
        self._started: int = beside._started if beside else time.time_ns() // 1_000_000
        self._background: set[asyncio.Future[Any]] = set()
        self._limiter = WindowRateLimiter(rate_limit, self.now) if rate_limit else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Cancel the tasks that still run in the background. None may have failed."""
        self.kill()
        if self._beside is None:
            for task in asyncio.all_tasks(self._loop):  # calls of the provider
                task.cancel()
            self._run(asyncio.sleep(0))
            self._loop.close()
        assert "background_failed" not in self.log_text

    def kill(self) -> None:
        """End all requests and jobs at once, and lose the messages in the queue, like a crash.

        The provider continues. Afterwards the deployment runs as before.
        """
        for task in self._background:
            task.cancel()
        self._run(asyncio.sleep(0))

    def now(self) -> int:
        """The deployment's time in Unix milliseconds."""
        return self._started + self.clock_error + int(self._loop.time() * 1000)

    # Requests

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send one request, with the options of ``requests.request``."""
        (response,) = self.request_all([(method, path, options)])
        return response

    def request_all(
        self, several: Iterable[tuple[str, str, Mapping[str, Any]]]
    ) -> list[requests.Response]:
        """Send requests concurrently; return the responses in the order of the requests."""

        async def together() -> list[requests.Response]:
            work = [self._respond(method, path, **more) for method, path, more in several]
            return list(await asyncio.gather(*work))

        return self._run(together())

    def start(self, method: str, path: str, options: Mapping[str, Any]) -> "StartedRequest":
        """Send one request, with the options of ``request``, without waiting for its response."""
        task = self._loop.create_task(self._respond(method, path, **options))
        self._keep(task)  # so that `kill` also ends a request that has not begun
        return StartedRequest(task, self._run)

    async def _respond(self, method: str, path: str, **options: Any) -> requests.Response:
        options.pop("timeout", None)
        prepared = requests.Request(method, _BASE + path, **options).prepare()
        parts = urllib.parse.urlsplit(prepared.url or "")
        head = RequestHead(
            method=method,
            path=parts.path,
            query=dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)),
            headers={
                "cf-connecting-ip": "127.0.0.1",
                **{name.lower(): _text(value) for name, value in prepared.headers.items()},
            },
        )
        request = Request(head, _Body(prepared.body))
        started = time.perf_counter()
        sent = await self._start(respond(request, self._services()))
        response = requests.Response()
        response.status_code = sent.status
        response.headers = CaseInsensitiveDict(sent.headers)
        response._content = sent.body
        response.encoding = "utf-8"
        response.url = prepared.url or ""
        response.request = prepared
        response.elapsed = timedelta(seconds=time.perf_counter() - started)
        return response

    # Time, queue and cron

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` of virtual time pass, and run everything that becomes due."""
        self._run(asyncio.sleep(seconds))

    def settle(self) -> None:
        """Let time pass until no task runs in the background."""
        while self._background:
            self._run(_finished(set(self._background)))

    def wait_until(self, condition: Callable[[], object], seconds: float = 60) -> None:
        """Let time pass until ``condition`` is true; raise AssertionError after ``seconds``."""
        deadline = self._loop.time() + seconds
        while not condition():
            assert self._loop.time() < deadline, f"the condition is not true after {seconds} s"
            self.advance(0.02)

    def run_cron(self, cron: str = "* * * * *", *, times: int = 1) -> str:
        """Run the jobs of one minute, ``times`` times concurrently; return "ok"."""

        async def together() -> None:
            await asyncio.gather(*(run_cron(self._services()) for _ in range(times)))

        self._run(together())
        return "ok"

    def start_cron(self) -> None:
        """Start the jobs of one minute, without waiting for their end."""

        async def start() -> None:
            self._start(run_cron(self._services()))

        self._run(start())

    def deliver_events(self, events: Iterable[Mapping[str, Any] | str | None]) -> None:
        """Deliver these queue messages once, in batches. Failed ones are delivered again later.

        events: the bodies; a text is a body as JSON; None is a body that can't be JSON.
        """
        contents = [
            event if event is None or isinstance(event, str) else json.dumps(event)
            for event in events
        ]
        self._run(LocalEventQueue(self._consume_events, self._start).deliver(contents))

    def break_queue(self) -> None:
        """Let the queue reject all messages from now on."""
        self._queue_is_broken = True

    # Stored and sent data

    def sql(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Run one statement on the database; return its rows."""
        return self.database.query(sql, *params)

    def sent_mails(self) -> list[dict[str, Any]]:
        """The mails that the provider accepted, in the form of ``LocalServer.sent_mails``."""
        return [_shown(mail) for mail in self.provider.taken]

    def mail_bodies(self, mail: Mapping[str, Any]) -> MailBodies:
        """The bodies of one entry of ``sent_mails``."""
        (taken,) = (one for one in self.provider.taken if one.message_id == mail["messageId"])
        form = taken.form
        return MailBodies(form.get("text"), form.get("html"), tuple(taken.contents))

    def log_lines(self) -> list[dict[str, Any]]:
        """The lines of the log so far."""
        return [json.loads(line) for line in self.log_text.split("\n") if line]

    # Internals

    def _services(self) -> Services:
        used = LimitedSubrequests(int(json.loads(self._variables).get("SUBREQUESTS", 50)))
        self.invocations.append(used)
        lose_responses: LoseResponses = lambda *batch: self.lose_responses(*batch)  # noqa: E731
        return Services(
            variables=self._variables,
            database=InvocationDatabase(self.database, lose_responses, used)
            if self._has_database
            else None,
            transport=SendEmailTransport(self.provider.within(used))
            if self._has_transport
            else None,
            wakeup_queue=LocalQueue(
                self._consume, self._start, used, is_broken=self._queue_is_broken
            )
            if self._has_queue
            else None,
            event_queue=LocalEventQueue(self._consume_events, self._start, used)
            if self._has_event_queue
            else None,
            webhook_queue=LocalQueue(self._consume_webhooks, self._start, used, batch=1, timeout=0)
            if self._has_webhook_queue
            else None,
            subrequests=used,
            rate_limiter=self._limiter,
            derive_key=derive_key,
            fetch=self._fetch(used),
            memory=UnlimitedMemory(),
            waiting=AsyncioWaiting(self._start),
            clock=self.now,
            make_transport=lambda config, key: self._make_transport(config, key, used),
        )

    def _make_transport(
        self, config: TransportConfig, key: str, used: LimitedSubrequests
    ) -> Transport:
        if config.name in self.transports:
            used.count()
            return self.transports[config.name](key)
        fetch = self._fetch(used)
        return make_transport(config, key, fetch=fetch, connect=connect, clock=self.now)

    def _fetch(self, used: LimitedSubrequests) -> Fetch:
        async def fetch(
            url: str,
            headers: dict[str, str],
            body: bytes | None,
            *,
            seconds: int = 5,
            most: int = 0,
        ) -> HttpResponse:
            if body is None:
                return self.pages[url] if url in self.pages else self.resolver.get(url)
            if "idempotency-key" in headers:
                used.count()
                return await asyncio.wait_for(self.resend(url, headers, body), seconds)
            if "webhook-id" not in headers:
                return post(url, headers, body)
            used.count()
            return await asyncio.wait_for(self.receiver.post(url, headers, body, most), seconds)

        return fetch

    async def _consume(self, message_ids: list[str]) -> None:
        await process_queue(message_ids, self._services())

    async def _consume_webhooks(self, webhook_ids: list[str]) -> None:
        await process_webhooks(webhook_ids, self._services())

    async def _consume_events(self, queued: list[QueuedEvent]) -> dict[int, int]:
        return await process_events(queued, self._services())

    def _start(self, work: Coroutine[Any, Any, T]) -> "asyncio.Future[T]":
        task = asyncio.ensure_future(work)
        self._keep(task)
        return task

    def _keep(self, task: asyncio.Future[Any]) -> None:
        """Keep ``task`` in ``_background`` until it ends."""
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                return self._loop.run_until_complete(work)
        finally:
            self.log_text += printed.getvalue()


class StartedRequest:
    """A request that ``TestClient.start`` has sent."""

    def __init__(
        self,
        task: "asyncio.Task[requests.Response]",
        run: Callable[[Coroutine[Any, Any, requests.Response]], requests.Response],
    ) -> None:
        self._task, self._run = task, run

    @property
    def is_done(self) -> bool:
        """Whether the response has arrived, or ``TestClient.kill`` has ended the request."""
        return self._task.done()

    @property
    def is_killed(self) -> bool:
        """Whether ``TestClient.kill`` has ended the request before its response."""
        return self._task.cancelled()

    def response(self) -> requests.Response:
        """Wait for the response, and return it."""

        async def finished() -> requests.Response:
            return await self._task

        return self._run(finished())


class _Body(Body):
    def __init__(self, body: Any) -> None:
        self._content = b"".join(_chunks(body))

    async def read(self, limit: int, client: str) -> bytes | None:
        return self._content if len(self._content) <= limit else None


def _chunks(body: Any) -> Iterable[bytes]:
    if body is None:
        return []
    if isinstance(body, str):
        return [body.encode()]
    return [body] if isinstance(body, bytes) else body


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


async def _finished(tasks: set["asyncio.Future[Any]"]) -> None:
    await asyncio.wait(tasks)


def _shown(mail: Taken) -> dict[str, Any]:
    form = mail.form
    shown = {
        "from": _mailbox(form["from"]),
        "to": [_mailbox(one) for one in form["to"]],
        "cc": [_mailbox(one) for one in form.get("cc", [])],
        "bcc": [_mailbox(one) for one in form.get("bcc", [])],
        "replyTo": _mailbox(form["replyTo"]) if "replyTo" in form else None,
        "subject": form["subject"],
        "headers": form.get("headers", {}),
        "messageId": mail.message_id,
        "attachments": [
            {**about, "size": len(content)}
            for about, content in zip(form.get("attachments", []), mail.contents, strict=True)
        ],
    }
    return {name: value for name, value in shown.items() if name == "to" or value}


def _mailbox(given: str | dict[str, str]) -> str:
    return given if isinstance(given, str) else f'"{given["name"]}" <{given["email"]}>'
