"""The Worker: the class that the runtime calls, and the composition root."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from workers import WorkerEntrypoint

# Most requests send mail. Imported here, their handlers are part of the snapshot from which a
# Worker starts.
import handlers.resend.emails
import handlers.send_mail  # noqa: F401
from application import respond
from handlers.resend.types import NewEmail
from mail.fields import SendMail
from runtime.bridge import bridge
from runtime.environment import services_of
from runtime.http import from_js_request, to_js_response
from runtime.wakeup_queue import take_message_ids
from sending.jobs import process_queue, run_cron
from web.body import decoder_of

T = TypeVar("T")

# Made here, the decoders of these requests are part of the snapshot too. Making one takes a
# millisecond or more.
decoder_of(SendMail)
decoder_of(NewEmail)


class Default(WorkerEntrypoint):
    """The functions that the runtime calls: for a request, a queue batch, and the cron."""

    async def fetch(self, request: Any) -> Any:
        """Respond to one HTTP request. It is completed even if its client disconnects."""
        services = services_of(self.env, self._run_in_background)
        work = respond(from_js_request(request), services)
        return to_js_response(await self._run_in_background(work))

    async def queue(self, batch: Any, env: Any = None, ctx: Any = None) -> None:
        """Attempt the messages named in a queue batch, if they are due."""
        services = services_of(self.env, self._run_in_background)
        await process_queue(take_message_ids(batch._binding), services)

    async def scheduled(self, controller: Any, env: Any = None, ctx: Any = None) -> None:
        """Run the jobs that the cron in wrangler.toml starts every minute."""
        await run_cron(services_of(self.env, self._run_in_background))

    def _run_in_background(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Run ``work`` in the background (waitUntil), beyond the end of the request."""
        task = asyncio.ensure_future(work)
        bridge().waitUntil(self.ctx, task)
        return task
