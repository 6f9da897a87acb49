"""The rules by which the relay adapts a message to what the API accepts.

Each rule is a small function with its sentence, in a list in the order in which the rules apply. A
new kind of odd message costs one rule and one case in ``tests/cases/relay``.
"""
