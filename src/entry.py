"""The worker: where the runtime comes in."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from workers import WorkerEntrypoint

from application import respond
from runtime.bindings import Bindings
from runtime.request import Request
from runtime.response import to_response
from schedule import each_minute

T = TypeVar("T")


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        """Answer one HTTP request."""
        received = Request(request)
        answer = await respond(received, Bindings(self.env), self._outlive)
        return to_response(answer)

    async def scheduled(self, controller: Any, env: Any = None, ctx: Any = None) -> None:
        """Do what is due each minute (the cron of wrangler.toml)."""
        await each_minute(Bindings(self.env))

    def _outlive(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Start ``work`` so that it is not cut in half when the client hangs up."""
        task = asyncio.ensure_future(work)
        # The runtime waits for the end, whatever it is; a refusal is for whoever awaits the task.
        self.ctx.waitUntil(asyncio.ensure_future(asyncio.wait({task})))
        return task
