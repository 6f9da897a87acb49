"""Common mail programs, with plain SMTP, STARTTLS and implicit TLS."""

from pathlib import Path

import pytest

from tests.e2e.api import Api, Sender
from tests.smtp.mails import ENVELOPE, check_full_mail, full_mail
from tests.smtp.programs import PROGRAMS, Submission, Way
from tests.smtp.relay import RelayProcess


@pytest.mark.parametrize("way", ["plain", "starttls", "tls"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_program_sends_everything(
    relay: RelayProcess, api: Api, sender: Sender, certificate: Path, program: str, way: Way
) -> None:
    PROGRAMS[program](Submission(relay, way, sender, full_mail(), ENVELOPE, certificate))
    check_full_mail(api, sender)
