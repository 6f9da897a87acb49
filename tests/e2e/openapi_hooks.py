"""What schemathesis loads into its own process: every other value of a request becomes a good one.

Left to chance no request would have the credential of an address in its body, the id of a message
that is there, or a subject, a recipient and a content at once.
"""

import itertools
import json
import os
import random
from typing import Any

import hypothesis
import schemathesis

# Cases are only made. Hypothesis would take as long again to make them ever more successful.
hypothesis.settings.register_profile(
    "made", phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate), database=None
)
hypothesis.settings.load_profile("made")

_GIVEN = json.loads(os.environ.get("OPENAPI_TEST_VALUES", "{}"))
_numbers = itertools.count(1)
# Hypothesis sets the module's own generator back before each case.
_chance = random.Random(20_260_101)


def _good_values(path: str) -> dict[str, Any]:
    """Good values of fields of the body, by their names."""
    if path.endswith("/send_mail"):
        text = {"subject": "Hello", "content": "Hello, Bob", "from_name": "Alice"}
        return {"token": _GIVEN["jwt"], "to_mail": "bob@example.org", "to_name": "Bob", **text}
    if path.endswith("/new_address"):
        return {"name": f"case{next(_numbers)}", "domain": "example.com"}
    if path in ("/emails", "/emails/batch"):
        return {"from": _GIVEN["address"], "to": "bob@example.org", "subject": "Hi", "text": "Bob"}
    if path == "/emails/{id}":
        return {"scheduled_at": _GIVEN["scheduled_at"], "id": None}
    return {"credential": _GIVEN["jwt"]}


def _known_id(path: str) -> str:
    """The id of a message that is there. Of those that are scheduled half are never cancelled."""
    scheduled: list[str] = _GIVEN["scheduled_ids"]
    if path == "/emails/{id}":
        return _chance.choice(scheduled[::2])
    if path == "/emails/{id}/cancel":
        return _chance.choice(scheduled[1::2])
    return str(_chance.choice(_GIVEN["failed_ids"]))


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Change `case` before it is sent. A field of the wrong type stays: it is there to be found."""
    path = case.operation.path
    mails = case.body if isinstance(case.body, list) else [case.body]
    for mail in mails:
        if isinstance(mail, dict):
            # The fields of a mail are good or by chance together: one by one few would be sent.
            all_good = _chance.random() < 0.5
            for name, value in _good_values(path).items():
                if isinstance(mail.get(name), str | None) and (all_good or _chance.random() < 0.5):
                    mail[name] = value
    # In a permissive batch a mail that is wrong is told of in a 200, which is then no fault.
    if (
        case.headers.get("x-batch-validation") == "permissive"
        and case.meta.generation.mode.is_negative
    ):
        case.headers["x-batch-validation"] = "strict"
    if "id" in case.path_parameters and _chance.random() < 0.5:
        case.path_parameters["id"] = _known_id(path)
