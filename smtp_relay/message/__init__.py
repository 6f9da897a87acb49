"""Converts a message in Internet Message Format to the API's JSON: pure functions, no network.

Nothing is dropped silently: the relay carries every part and field of a message, or rejects the
message and names what it can't carry. docs/smtp.md lists the exceptions.
"""
