"""What happens at the verbs of SMTP: aiosmtpd's hooks, named after them."""

import asyncio
import time
from typing import TYPE_CHECKING

from aiosmtpd.smtp import Envelope, Session, TLSSetupException

from smtp_relay import addresses, replies
from smtp_relay.addresses import BadAddress
from smtp_relay.answers import Reply, outcome_unknown, reply_to_mail
from smtp_relay.api import ApiSilent, ApiUnavailable
from smtp_relay.conversation import Conversation
from smtp_relay.log import log, log_fault
from smtp_relay.logins import Login
from smtp_relay.message.convert import Request, convert
from smtp_relay.message.faults import Unsendable

if TYPE_CHECKING:
    from smtp_relay.relay import Relay

_EXTENSIONS = ["250-PIPELINING", "250-ENHANCEDSTATUSCODES"]
# A larger mail is taken apart in a thread, so that nobody else waits for it.
_LARGE_BYTES = 32 * 1024


class Handler:
    """The hooks of one relay, for all its conversations."""

    def __init__(self, relay: "Relay") -> None:
        self._relay = relay

    async def handle_EHLO(
        self,
        server: Conversation,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Announce what aiosmtpd can do but does not say."""
        session.host_name = hostname
        return [*responses[:-1], *_EXTENSIONS, responses[-1]]

    async def handle_MAIL(
        self,
        server: Conversation,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Begin a mail. Its sender counts for nothing: it is sent from the credential's address."""
        if self._relay.is_stopping:
            return replies.STOPPING
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self,
        server: Conversation,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Take a recipient, each once."""
        try:
            key = addresses.key(addresses.checked(address))
        except BadAddress as error:
            return str(error)
        if key not in map(addresses.key, envelope.rcpt_tos):
            limit = self._relay.settings.smtp_max_recipients
            if len(envelope.rcpt_tos) >= limit:
                return replies.TOO_MANY_RECIPIENTS.format(limit=limit)
            envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: Conversation, session: Session, envelope: Envelope) -> str:
        """Send the mail, also when its client hangs up meanwhile; return the reply."""
        login: object = session.auth_data
        assert isinstance(login, Login)  # without a login there is no DATA
        task = asyncio.ensure_future(self._send(server, login, envelope))
        self._relay.sendings.add(task)
        task.add_done_callback(self._relay.sendings.discard)
        return await asyncio.shield(task)

    async def handle_exception(self, error: Exception) -> str:
        """The reply where something went wrong that nobody has foreseen."""
        if not isinstance(error, OSError | TLSSetupException):  # the client's faults, or nobody's
            log_fault(error)
        return replies.INTERNAL_ERROR

    async def _send(self, server: Conversation, login: Login, envelope: Envelope) -> str:
        began = time.perf_counter()
        content = envelope.content
        assert isinstance(content, bytes)
        code = message_id = None
        # What is true if anything goes wrong: from the post on the API may have the mail.
        otherwise = Reply(replies.INTERNAL_ERROR, "temporary")
        try:
            request = await self._converted(content, envelope.rcpt_tos, login.address)
            repeatable = request.key is not None
            otherwise = outcome_unknown(repeatable=repeatable)
            answer = await self._relay.api.send_mail(login.credential, request.body, request.key)
            code, message_id = answer.code, answer.message_id
            reply = reply_to_mail(answer, request.labels, repeatable=repeatable)
        except Unsendable as error:
            code = type(error).__name__.lower()
            reply = Reply(f"{error.reply} {error}", "permanent")
        except ApiUnavailable:
            code, reply = "api_unavailable", Reply(replies.API_UNAVAILABLE, "temporary")
        except ApiSilent:
            code, reply = "api_silent", otherwise
        except asyncio.CancelledError:  # the relay stops, and waits no longer
            code, reply = "stopped", otherwise
        except Exception as error:
            log_fault(error)
            code, reply = "internal_error", otherwise
        if code == "invalid_credential":
            self._relay.logins.forget(login)
            server.farewell = replies.LOGIN_ENDED
            reply = Reply(replies.LOGIN_OVER, "temporary") if login.is_renewable else reply
        size, recipients = len(content), len(envelope.rcpt_tos)
        metrics = self._relay.metrics
        metrics.messages[reply.result] += 1
        metrics.message_bytes += size
        metrics.recipients += recipients if message_id else 0
        log(
            "message",
            connection=server.id,
            client=server.client,
            sender=login.address,
            recipients=recipients,
            bytes=size,
            result=reply.result,
            reply=reply.text[:9],
            code=code,
            message_id=message_id,
            milliseconds=round((time.perf_counter() - began) * 1000, 1),
        )
        return reply.text

    async def _converted(self, content: bytes, recipients: list[str], sender: str) -> Request:
        def work() -> Request:
            max_hops = self._relay.settings.smtp_max_hops
            return convert(content, recipients, sender=sender, max_hops=max_hops)

        return await asyncio.to_thread(work) if len(content) > _LARGE_BYTES else work()
