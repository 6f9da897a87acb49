"""A ``send_email`` binding that a test scripts by the subjects of its mails.

Orders stand in brackets: ``[E_SOME_CODE]`` throws with that code, ``[no code]`` without one,
``[wait 500]`` waits so many milliseconds, ``[take]`` takes the mail. ``[E_SOME_CODE 2]`` throws
twice and then no more. Without an order that throws, the mail is taken in the end. It is the
counterpart of ``tests/faults/provider/provider.mjs``.
"""

import asyncio
import copy
import re
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from transport.send_email import ProviderError, ProviderTimeout

_ORDER = re.compile(r"\[([^\]]+)\]")


@dataclass
class Taken:
    """A mail that the provider took: the builder form, its attachments' bytes, its Message-ID."""

    form: dict[str, Any]
    contents: list[bytes]
    message_id: str


@dataclass
class ScriptedBinding:
    """Takes mails into ``taken``, in the order of their arrival."""

    taken: list[Taken] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def mails(self) -> list[dict[str, Any]]:
        """The builder forms of ``taken``."""
        return [copy.deepcopy(mail.form) for mail in self.taken]

    def mails_of(self, address: str) -> list[dict[str, Any]]:
        """Those of ``mails`` whose sender is ``address``."""
        return [form for form in self.mails if address in str(form["from"])]

    async def send(
        self, form: dict[str, Any], contents: list[bytes], *, milliseconds: int
    ) -> str | None:
        """As ``transport.send_email.Binding.send``."""
        work = asyncio.ensure_future(self._send(form, contents))
        done, _ = await asyncio.wait([work], timeout=milliseconds / 1000)
        if not done:
            raise ProviderTimeout(work)
        return work.result()

    async def _send(self, form: dict[str, Any], contents: list[bytes]) -> str:
        subject = form["subject"]
        self.calls[subject] += 1
        message_id = f"<{uuid.uuid4()}@provider.test>"
        mail = Taken(form, contents, message_id)
        is_taken = False
        for order in _ORDER.findall(subject):
            word, _, number = order.partition(" ")
            if order == "take":
                self.taken.append(mail)
                is_taken = True
            elif word == "wait":
                await asyncio.sleep(int(number) / 1000)
            elif order == "no code":
                raise ProviderError(None, "Error")
            elif not number or self.calls[subject] <= int(number):
                raise ProviderError(word, "Error")
        if not is_taken:
            self.taken.append(mail)
        return message_id
