"""The SMTP relay: a real one, in front of a real local server."""

import pytest

pytest.register_assert_rewrite("tests.smtp.mails")
