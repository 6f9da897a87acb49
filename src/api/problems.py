"""Errors, as clients get them."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType


class FieldProblem(Struct):
    """What is wrong with one field."""

    field: Annotated[str, Meta(description="The JSON path of the field: `to_mail`, `to[2].email`.")]
    message: Annotated[str, Meta(description="What is wrong with it, in one sentence.")]


class Problem(Struct):
    """A problem object (RFC 9457)."""

    type: Annotated[str, Meta(description="Always `about:blank`: `code` tells more.")]
    title: Annotated[str, Meta(description="The words of the HTTP status.")]
    status: Annotated[int, Meta(description="The HTTP status.")]
    detail: Annotated[
        str, Meta(description="What is wrong, in one sentence for people; `x-lang` chooses how.")
    ]
    code: Annotated[str, Meta(description="What is wrong, in one word for programs.")]
    retryable: Annotated[
        bool,
        Meta(description="Whether the same request is worth another try, after `Retry-After`."),
    ]
    request_id: Annotated[str, Meta(description="The id of the request, as in `X-Request-Id`.")]
    id: Annotated[
        str | UnsetType, Meta(description="The id of the message, where one was kept.")
    ] = UNSET
    message_status: Annotated[str | UnsetType, Meta(description="The status of that message.")] = (
        UNSET
    )
    errors: Annotated[list[FieldProblem] | UnsetType, Meta(description="The fields at fault.")] = (
        UNSET
    )
