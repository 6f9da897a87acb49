"""The types of sending: a submission, an attempt to send a message, and its result."""

from typing import Literal

import msgspec

from accounts.actor import Actor
from accounts.credentials import Credential
from errors import ApiError
from mail.lifecycle import ReportedAs, Status
from mail.message import Message


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A submission (RFC 6409): messages from the address of a credential.

    ``request_digest`` identifies the request that uses ``idempotency_key``. ``retry_of`` is the id
    of an earlier message, which the only message of this submission sends again. ``reports`` is
    ``outcome`` if the response states the outcome of a single message, and ``acceptance`` if it
    states which messages of a batch were accepted. A ``permissive`` submission accepts each valid
    message; others accept all messages or none. With an ``administrator``, a submission needs no
    valid credential and costs no balance. ``credential`` then only names the sender.
    ``transport`` is the name of the only transport to use; None to choose by the sender's domain.
    """

    messages: tuple[Message, ...]
    credential: Credential
    request_id: str
    idempotency_key: str | None = None
    request_digest: str | None = None
    retry_of: str | None = None
    reports: Literal["outcome", "acceptance"] = "outcome"
    permissive: bool = False
    administrator: Actor | None = None
    transport: str | None = None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """Attempt ``number`` to send a message.

    With the status ``sending``, this worker holds the message and makes the attempt. With another
    status, the message is new, and its first attempt is due at ``due_at``. Times are in Unix
    milliseconds. ``tried_from`` is the time of acceptance or the scheduled time: retries end
    ``RETRY_HOURS`` later. ``webhooks`` are the ids of the webhooks that listen to the outcome.
    ``caller_waits_for`` is ``nothing`` if the queue or the cron started the attempt. Otherwise a
    caller waits for the response, and the value is ``Submission.reports``.

    ``transport`` is the name of the transport that makes the attempt; None if it is to be chosen
    from ``route``, the transports to try in this order, and ``verified_route``, those to try if all
    recipients are verified. ``tried`` are the transports that have rejected the message just
    before, and ``may_retry`` is whether one of them may accept it later. ``ask_until`` is the end
    of the time in which the provider may be asked again with the same key; None if it has no keys.
    ``skipped`` are the transports that are skipped for now. With ``keeps_attachments``, they are
    stored although the attempt is made at once, for a provider that may be asked again. Without
    ``retries``, a transient rejection is final. ``asks_again`` is whether the outcome of an earlier
    attempt with this key is not known.
    """

    id: str
    message: Message
    tried_from: int
    request_id: str | None
    number: int = 1
    status: Literal["sending", "queued", "scheduled"] = "sending"
    due_at: int | None = None
    caller_waits_for: Literal["outcome", "acceptance", "nothing"] = "nothing"
    webhooks: tuple[str, ...] = ()
    transport: str | None = None
    route: tuple[str, ...] = ()
    verified_route: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    may_retry: bool = False
    ask_until: int | None = None
    asks_again: bool = False
    skipped: tuple[str, ...] = ()
    retries: bool = True
    keeps_attachments: bool = False


class SubmissionResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result for one message of a submission.

    ``reported_as`` is the status in the first response to the caller. ``status`` is the current
    status; None if it was not read. ``code`` is the error code of a message that is reported as
    failed or unknown. A message with an ``error`` was not accepted, and its id is empty.
    ``replayed`` marks the result of an earlier request with the same idempotency key.
    """

    id: str = ""
    status: Status | None = None
    reported_as: ReportedAs = "queued"
    provider_message_id: str | None = None
    code: str | None = None
    error: ApiError | None = None
    replayed: bool = False
