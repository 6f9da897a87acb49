"""Every refusal there is, as the worker raises it: the examples of errors are made of these.

A refusal is named by its code. Where one code has two statuses, the second one's name ends in it.
"""

from refusals import Refusal
from tools.openapi.raised import administration, emails, general, messages, sending

REFUSALS: dict[str, Refusal] = {
    **{
        refusal.code: refusal
        for refusal in (
            *general.OF_REQUESTS,
            *general.OF_CALLERS,
            *general.OF_NEW_ADDRESSES,
            *general.OF_PASSWORDS,
            *messages.OF_FIELDS,
            *sending.BEFORE_THE_PROVIDER,
            *sending.OF_KEPT_MESSAGES,
            *sending.OF_THE_PROVIDER,
            *emails.OF_EMAILS,
            *administration.OF_DELETION,
            *administration.OF_ADMINISTRATORS,
            *general.OF_THE_DEPLOYMENT,
        )
    },
    "required_field_missing.422": general.MISSING_MEMBER,
}
