"""Converts a message in Internet Message Format to the API's JSON: pure functions, no network.

The relay converts every part and field of a message, except those that docs/smtp.md lists as
omitted. If it can't convert one, it rejects the message and names that part or field.
"""
