"""The AUTH mechanisms PLAIN and LOGIN, as methods with the names that aiosmtpd looks for."""

import asyncio
from base64 import b64decode

from aiosmtpd.smtp import AuthResult

from smtp_relay import addresses, replies
from smtp_relay.auth import Authenticator, Login, LoginRejected, account_name, wrong
from smtp_relay.log import log
from smtp_relay.metrics import Metrics
from smtp_relay.session import MAX_AUTH_BYTES, SmtpSession

_REPLIED = AuthResult(success=False, handled=True)  # the client already has its reply


class AuthMechanisms:
    """Reads the user name and the password, checks them, and counts and logs the result."""

    def __init__(self, authenticator: Authenticator, metrics: Metrics) -> None:
        self._authenticator = authenticator
        self._metrics = metrics

    async def auth_PLAIN(self, server: SmtpSession, args: list[str]) -> AuthResult:
        """PLAIN (RFC 4616): one word contains the user name and the password."""
        word = await _read_word(server, args, challenge="")
        if word is None:
            return _REPLIED
        pieces = word.split(b"\0")
        if len(pieces) != 3:
            await server.push("501 5.5.2 The form must be authzid NUL user NUL password")
            return _REPLIED
        on_behalf_of, user, password = pieces
        return await self._log_in(server, user, password, on_behalf_of)

    async def auth_LOGIN(self, server: SmtpSession, args: list[str]) -> AuthResult:
        """LOGIN: the client sends the user name first, then the password."""
        user = await _read_word(server, args, challenge="Username:")
        if user is None:
            return _REPLIED
        password = await _read_word(server, [], challenge="Password:")
        if password is None:
            return _REPLIED
        return await self._log_in(server, user, password)

    async def _log_in(
        self, server: SmtpSession, user: bytes, password: bytes, on_behalf_of: bytes = b""
    ) -> AuthResult:
        try:
            name, secret, other = user.decode(), password.decode(), on_behalf_of.decode()
        except UnicodeDecodeError:
            return self._reject(server, wrong("User name and password must be UTF-8"))
        if other not in ("", name) and addresses.key(other) != account_name(name, secret):
            return self._reject(server, wrong("Acting on behalf of another user is not supported"))
        if self._authenticator.is_known(name, secret):
            return await self._check(server, name, secret)
        failures, client, account = server.failures, server.client, account_name(name, secret)
        if failures.is_over(client, account):
            return _lock_out(server)
        waited = 0.0
        while True:
            async with failures.turn(client):
                # Logins on other connections of the client may have failed meanwhile. Check before
                # the API is asked, and again before its response reveals a result.
                if failures.is_over(client, account):
                    return _lock_out(server)
                delay = failures.delay(client, account)
                if delay <= waited:
                    return await self._check(server, name, secret, is_guess=True)
            await asyncio.sleep(delay - waited)
            waited = delay

    async def _check(
        self, server: SmtpSession, user: str, password: str, *, is_guess: bool = False
    ) -> AuthResult:
        failures, client, account = server.failures, server.client, account_name(user, password)
        rejection = login = None
        try:
            login = await self._authenticator.check(user, password)
        except LoginRejected as error:
            rejection = error
        if is_guess and failures.is_over(client, account):
            return _lock_out(server)
        if rejection:
            # A login that was valid before is not a guess. Many connections can use it at once.
            if rejection.is_failure and is_guess:
                failures.add(client, account)
            return self._reject(server, rejection)
        if is_guess:
            failures.clear(client, account)
        self._note(server, "good", login)
        return AuthResult(success=True, auth_data=login)

    def _reject(self, server: SmtpSession, rejection: LoginRejected) -> AuthResult:
        self._note(server, "bad" if rejection.is_failure else "unavailable", None)
        return AuthResult(success=False, handled=False, message=rejection.reply)

    def _note(self, server: SmtpSession, result: str, login: Login | None) -> None:
        self._metrics.logins[result] += 1
        log(
            "login",
            connection=server.id,
            client=server.client,
            result=result,
            sender=login.address if login else None,
        )


def _lock_out(server: SmtpSession) -> AuthResult:
    server.say_goodbye(replies.TOO_MANY_FAILURES)
    return _REPLIED


async def _read_word(server: SmtpSession, args: list[str], *, challenge: str) -> bytes | None:
    """The decoded word after the mechanism's name, or else the client's response to ``challenge``.

    None if the word is invalid. The client has then already received a reply.
    """
    if len(args) > 1:
        try:
            return b64decode(args[1].encode(), validate=True)
        except ValueError:
            await server.push("501 5.5.2 Not base64")
            return None
    try:
        response = await server.challenge_auth(challenge)
    except ValueError:  # the line is longer than the read limit
        server.say_goodbye(replies.AUTH_ENDLESS)
        return None
    if not isinstance(response, bytes):
        return None
    if len(response) > MAX_AUTH_BYTES:
        await server.push(replies.AUTH_TOO_LONG)
        return None
    return response
