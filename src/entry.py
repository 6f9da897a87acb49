"""The worker: where the runtime comes in."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from workers import WorkerEntrypoint

from application import respond
from runtime.bindings import Bindings
from runtime.bridge import bridge
from runtime.outbox import woken_ids
from runtime.request import Request
from runtime.response import to_response
from wakeups import each_minute, on_wake

T = TypeVar("T")


class Default(WorkerEntrypoint):
    """What the runtime calls."""

    async def fetch(self, request: Any) -> Any:
        """Answer one HTTP request, and bring to its end what it began when its client hangs up."""
        call = respond(Request(request), Bindings(self.env), self._outlive)
        return to_response(await self._outlive(call))

    async def queue(self, batch: Any, env: Any = None, ctx: Any = None) -> None:
        """Look at the messages that the queue wakes somebody up for."""
        await on_wake(woken_ids(batch._binding), Bindings(self.env), self._outlive)

    async def scheduled(self, controller: Any, env: Any = None, ctx: Any = None) -> None:
        """Do what is due each minute (the cron of wrangler.toml)."""
        await each_minute(Bindings(self.env), self._outlive)

    def _outlive(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Start ``work`` so that it goes on when the request that began it is over."""
        task = asyncio.ensure_future(work)
        bridge().outlive(self.ctx, task)
        return task
