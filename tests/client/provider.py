"""A ``send_email`` binding that follows the instructions in the subject of a mail.

Instructions are in brackets: ``[E_SOME_CODE]`` throws with that code, ``[no code]`` throws without
a code, ``[wait 500]`` waits 500 milliseconds, ``[take]`` accepts the mail. ``[E_SOME_CODE 2]``
throws in the first two calls with this subject. If no instruction throws, the mail is accepted.
``tests/faults/provider/provider.mjs`` follows the same instructions.
"""

import asyncio
import copy
import re
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from subrequests import Subrequests
from transport.send_email import ProviderError, ProviderTimeout

_INSTRUCTION = re.compile(r"\[([^\]]+)\]")


@dataclass
class Taken:
    """An accepted mail: the argument of ``send``, the bytes of its attachments, its Message-ID."""

    form: dict[str, Any]
    contents: list[bytes]
    message_id: str


@dataclass
class ScriptedBinding:
    """Stores accepted mails in ``taken``, in the order of their arrival.

    Unless ``follows_instructions``, it accepts every mail.
    """

    follows_instructions: bool = True
    taken: list[Taken] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def mails(self) -> list[dict[str, Any]]:
        """The arguments of ``send``, one per mail of ``taken``."""
        return [copy.deepcopy(mail.form) for mail in self.taken]

    def mails_of(self, address: str) -> list[dict[str, Any]]:
        """The entries of ``mails`` with the sender ``address``."""
        return [form for form in self.mails if address in str(form["from"])]

    async def send(
        self, form: dict[str, Any], contents: list[bytes], *, milliseconds: int
    ) -> str | None:
        """Implements ``transport.send_email.Binding.send``."""
        work = asyncio.ensure_future(self._send(form, contents))
        # The caller may be killed and never read the result. asyncio would then print an exception.
        work.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        done, _ = await asyncio.wait([work], timeout=milliseconds / 1000)
        if not done:
            raise ProviderTimeout(work)
        return work.result()

    def within(self, subrequests: Subrequests) -> "CountedBinding":
        """This binding, for an invocation. Its calls are counted in ``subrequests``."""
        return CountedBinding(self, subrequests)

    async def _send(self, form: dict[str, Any], contents: list[bytes]) -> str:
        subject = form["subject"]
        self.calls[subject] += 1
        message_id = f"<{uuid.uuid4()}@provider.test>"
        mail = Taken(form, contents, message_id)
        is_taken = False
        for instruction in _INSTRUCTION.findall(subject) if self.follows_instructions else ():
            word, _, number = instruction.partition(" ")
            if instruction == "take":
                self.taken.append(mail)
                is_taken = True
            elif word == "wait":
                await asyncio.sleep(int(number) / 1000)
            elif instruction == "no code":
                raise ProviderError(None, "Error")
            elif not number or self.calls[subject] <= int(number):
                raise ProviderError(word, "Error")
        if not is_taken:
            self.taken.append(mail)
        return message_id


@dataclass
class CountedBinding:
    """Counts each call of ``binding`` as a subrequest."""

    binding: ScriptedBinding
    subrequests: Subrequests

    async def send(
        self, form: dict[str, Any], contents: list[bytes], *, milliseconds: int
    ) -> str | None:
        """As ``transport.send_email.Binding.send``."""
        self.subrequests.count()
        return await self.binding.send(form, contents, milliseconds=milliseconds)
