"""How much was sent, and what is left."""

from typing import Annotated

from msgspec import Meta, Struct


class UsageDay(Struct):
    """The messages that were accepted on one UTC day."""

    day: Annotated[str, Meta(description="YYYY-MM-DD.")]
    accepted: Annotated[int, Meta(description="All of them, whatever became of them.")]
    sent: Annotated[int, Meta(description="Those that the provider took.")]
    failed: Annotated[int, Meta(description="Those that it refused for good.")]


class Usage(Struct):
    """Messages by day, and what is left of the limits."""

    days: Annotated[
        list[UsageDay],
        Meta(description="The days on which messages were accepted, of the last 90."),
    ]
    daily_left: Annotated[
        int | None,
        Meta(description="Recipients that the deployment still takes today, null for any number."),
    ]
    monthly_left: Annotated[
        int | None,
        Meta(description="Recipients that it still takes this month, null for any number."),
    ]


class AddressUsage(Usage):
    """The usage of one address."""

    send_balance: Annotated[
        int,
        Meta(description="Recipients that the address may still send to, 99999 for any number."),
    ]
