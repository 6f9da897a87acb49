"""The Worker: the class that the runtime calls, and the composition root."""

from functools import cache
from typing import Any

from workers import WorkerEntrypoint

# Most requests send mail. Imported here, their handlers are part of the snapshot from which a
# Worker starts.
import handlers.resend.emails
import handlers.send_mail  # noqa: F401
from application import respond
from handlers.resend.types import NewEmail
from log import write_lines_with
from mail.fields import SendMail
from runtime.bridge import bridge, coroutines, load_all
from runtime.coroutines import connect, number_of
from runtime.environment import services
from runtime.event_queue import finish_events, is_of_events, read_events
from runtime.http import body_of, read_head, to_js_response
from runtime.memory import Room
from runtime.wakeup_queue import take_ids
from runtime.webhook_queue import is_of_webhooks
from sending.jobs import process_queue, run_cron
from web.body import decoder_of
from web.request import Request

# Made here, the decoders of these requests are part of the snapshot too. Making one takes a
# millisecond or more.
decoder_of(SendMail)
decoder_of(NewEmail)


class Default(WorkerEntrypoint):
    """The functions that the runtime calls: for a request, a queue batch, and the cron."""

    def fetch(self, request: Any) -> Any:
        """Respond to one HTTP request. It is completed even if its client disconnects."""
        return _coroutines().runRequest(request.js_object)

    async def queue(self, batch: Any, env: Any = None, ctx: Any = None) -> None:
        """Process a batch of a queue: of delivery events, of messages or of webhooks."""
        run = _coroutines().runJob
        await run(number_of(_process(batch._binding)))

    async def scheduled(self, controller: Any, env: Any = None, ctx: Any = None) -> None:
        """Run the jobs that the cron in wrangler.toml starts every minute."""
        await _coroutines().runJob(number_of(run_cron(services(Room()))))


@cache
def _coroutines() -> Any:
    """The module that runs coroutines, connected with this one."""
    load_all()
    write_lines_with(bridge().log)
    connect(_respond)
    return coroutines()


async def _process(batch: Any) -> None:
    if is_of_events(batch):
        from sending.delivery_events import process_events  # here, because a send needs no events

        finish_events(batch, await process_events(read_events(batch), services(Room())))
    elif is_of_webhooks(batch):
        from sending.webhooks import process_webhooks  # here, because a send needs no webhooks

        await process_webhooks(take_ids(batch), services(Room()))
    else:
        await process_queue(take_ids(batch), services(Room()))


async def _respond(head: str, small_body: Any, request: Any = None) -> Any:
    memory = Room()
    body = body_of(small_body, request, memory)
    return to_js_response(await respond(Request(read_head(head), body), services(memory)))
