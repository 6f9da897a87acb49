"""The results of a submission for its caller: one per message, or the first error."""

from collections.abc import Sequence

from errors import ApiError, BadRequest, FieldError, Unavailable
from locales import provider_sentence
from mail.lifecycle import Status
from mail.submission import Attempt, Submission, SubmissionResult
from store.record import StatusUpdate
from transport.outcome import Outcome

# The Retry-After of a 503, which follows a transient rejection if there is no queue.
_RETRY_SECONDS = 30

# An attempt, its outcome, the update that records the outcome, and the resulting message status.
Tried = tuple[Attempt, Outcome, StatusUpdate, Status]


def raise_first(errors: Sequence[ApiError | None], submission: Submission) -> None:
    """Raise the first of ``errors`` that is not None.

    If the submission is a batch, a ``BadRequest`` names the position of the message.
    """
    for position, error in enumerate(errors):
        if error is None:
            continue
        if submission.reports == "acceptance" and isinstance(error, BadRequest):
            error.errors = (FieldError(f"[{position}]", error.sentence, error.values),)
        raise error


def results_of(
    submission: Submission,
    attempts: list[Attempt],
    errors: Sequence[ApiError | None],
    tried: list[Tried],
) -> list[SubmissionResult]:
    """One result per message of the submission, in their order."""
    ended = {attempt.id: (update, status) for attempt, _, update, status in tried}
    results = []
    for attempt, error in zip(attempts, errors, strict=True):
        if error is not None:
            results.append(SubmissionResult(error=error))
        elif attempt.id in ended:
            results.append(_result(*ended[attempt.id]))
        else:
            results.append(SubmissionResult(id=attempt.id, status=attempt.status))
    return results


def _result(update: StatusUpdate, status: Status) -> SubmissionResult:
    if update.undo:
        raise _unavailable(update)
    # If the sweep has made the message `unknown`, a transient rejection makes it `failed`.
    reported_as = "failed" if status == "failed" else update.reported_as or "failed"
    codes = {"failed": update.provider_code, "unknown": "outcome_unknown"}
    return SubmissionResult(
        id=update.id,
        status=status,
        reported_as=reported_as,
        provider_message_id=update.provider_message_id,
        code=codes.get(reported_as),
    )


def _unavailable(update: StatusUpdate) -> ApiError:
    code = update.provider_code or ""
    return Unavailable(
        code,
        sentence=provider_sentence(code, "provider_busy"),
        retry_after=_RETRY_SECONDS,
        extra={"id": update.id, "message_status": "failed"},
        provider_code=code,
    )
