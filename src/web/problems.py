"""The JSON form of errors."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from errors import ApiError
from locales import sentence
from mail.suppressions import SuppressionReason


class FieldProblem(Struct):
    """An error in one field."""

    field: Annotated[
        str,
        Meta(
            description="The JSON path of the field, like `to_mail` or `to[2].email`, or the name "
            "of the query parameter."
        ),
    ]
    message: Annotated[str, Meta(description="The error, in one sentence.")]


class SuppressionProblem(Struct):
    """Why a recipient gets no mail, and for how long."""

    recipient: Annotated[str, Meta(description="The suppressed recipient.")]
    reason: Annotated[
        SuppressionReason, Meta(description="The reason, as in `GET /admin/suppressions`.")
    ]
    expires_at: Annotated[
        str | None,
        Meta(description="The end of the suppression, in ISO 8601 (UTC); null if it has none."),
    ]


class Problem(Struct):
    """A problem object (RFC 9457)."""

    type: Annotated[str, Meta(description="Always `about:blank`. `code` identifies the error.")]
    title: Annotated[str, Meta(description="The reason phrase of the HTTP status.")]
    status: Annotated[int, Meta(description="The HTTP status.")]
    detail: Annotated[
        str, Meta(description="The error, in one sentence for people, in the language of `x-lang`.")
    ]
    message: Annotated[str, Meta(description="The same sentence as `detail`.")]
    code: Annotated[str, Meta(description="The error, in one word for programs.")]
    retryable: Annotated[
        bool,
        Meta(description="Whether the same request can succeed after the time in `Retry-After`."),
    ]
    request_id: Annotated[str, Meta(description="The id of the request, as in `X-Request-Id`.")]
    id: Annotated[
        str | UnsetType, Meta(description="The id of the message, if one was stored.")
    ] = UNSET
    message_status: Annotated[
        str | UnsetType, Meta(description="The status of the stored message.")
    ] = UNSET
    suppression: Annotated[
        SuppressionProblem | UnsetType,
        Meta(description="Only with the code `recipient_suppressed`."),
    ] = UNSET
    errors: Annotated[list[FieldProblem] | UnsetType, Meta(description="The invalid fields.")] = (
        UNSET
    )


def field_problems(error: ApiError, language: str) -> list[FieldProblem]:
    """The invalid fields of ``error``, with sentences in ``language``."""
    return [
        FieldProblem(one.field, sentence(one.code, language, one.values)) for one in error.errors
    ]
