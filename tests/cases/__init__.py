"""Mails and requests as programs write them, and what must be sent.

``relay/NAME.eml`` is a message as a client sends it after DATA, before dots are doubled and without
the final dot. ``relay/NAME.json`` has its envelope and the expected result. ``@@`` in both is
replaced by a word that is new each time. The credential is that of ``app@example.com``.

Members of the JSON file:

- ``about``; ``kind``: 1 values and names, 2 header fields, 3 structure, 4 lenient reading,
  5 dispositions, 6 SMTP, 7 the Message-ID, 0 what a relay must never change.
- ``mail_from``, ``rcpt``, ``mail_options``, ``rcpt_options``; ``login``: ``authzid`` and ``user``
  of AUTH PLAIN; ``rcpt_refused``: the recipients that are rejected at RCPT.
- ``refused``: the ``code`` of the reply to the message, and what the reply ``names``. Or ``sent``:
  what the provider gets. ``sent.py`` compares the members of ``sent``.
"""
