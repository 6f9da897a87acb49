"""Tests of the SMTP relay, most of them with a real relay in front of a real local server."""

import pytest

pytest.register_assert_rewrite("tests.smtp.mails")
