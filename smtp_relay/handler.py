"""The hooks that aiosmtpd calls for each command, under the names that it looks for."""

from aiosmtpd.smtp import Envelope, Session, TLSSetupException

from smtp_relay import addresses, replies
from smtp_relay.addresses import BadAddress
from smtp_relay.auth_mechanisms import AuthMechanisms
from smtp_relay.log import log_fault
from smtp_relay.session import SmtpSession, declared_size
from smtp_relay.submission import Submission, Submitter

_EXTENSIONS = ["250-PIPELINING", "250-ENHANCEDSTATUSCODES"]


class Handler:
    """The aiosmtpd handler: its ``handle_*`` methods process the commands of all sessions.

    ``SmtpSession`` itself reads a message, and then calls ``submit``.
    """

    def __init__(
        self, submitter: Submitter, mechanisms: AuthMechanisms, *, max_recipients: int
    ) -> None:
        self._submitter = submitter
        self._max_recipients = max_recipients
        # aiosmtpd looks for AUTH mechanisms on its handler.
        self.auth_PLAIN = mechanisms.auth_PLAIN
        self.auth_LOGIN = mechanisms.auth_LOGIN

    async def handle_EHLO(
        self,
        server: SmtpSession,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Announce two extensions that aiosmtpd does not announce.

        aiosmtpd supports pipelining. ``SmtpSession.push`` adds the enhanced status codes.
        """
        session.host_name = hostname
        return [*responses[:-1], *_EXTENSIONS, responses[-1]]

    async def handle_MAIL(
        self,
        server: SmtpSession,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Begin a transaction. ``address`` is not used: the credential determines the sender."""
        if server.farewell:
            return server.farewell
        # Memory is reserved when the message arrives. This check spares the client most messages
        # that would then be rejected.
        if not server.memory.has_room(server.login().address, declared_size(options)):
            return replies.NO_MEMORY
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self,
        server: SmtpSession,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Add a recipient. Ignore an address that has already been added."""
        try:
            address = addresses.checked(address)
        except BadAddress as error:
            return str(error)
        key = addresses.key(address)
        # aiosmtpd does not use this list. Computing the keys of all recipients for each further one
        # would be slow.
        keys = envelope.rcpt_options
        if key not in keys:
            if len(keys) >= self._max_recipients:
                return replies.TOO_MANY_RECIPIENTS.format(limit=self._max_recipients)
            keys.append(key)
            envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def submit(self, server: SmtpSession, submission: Submission) -> str:
        """Submit the message, and return the reply."""
        reply = await self._submitter.submit(submission)
        if reply.has_login_ended:
            server.farewell = replies.LOGIN_ENDED
        return reply.text

    async def handle_exception(self, error: Exception) -> str:
        """Log an unexpected error, and return the reply to the command that caused it."""
        # Clients and networks cause these errors, so they are not logged.
        if not isinstance(error, OSError | TLSSetupException):
            log_fault(error)
        return replies.INTERNAL_ERROR
