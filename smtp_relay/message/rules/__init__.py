"""The rules by which the relay adapts a message to what the API accepts.

A rule is a small function with its sentence. A module with several rules of one kind has a list of
them, in the order in which they apply. The modules apply in this order:

- ``repeated``, ``originators``, ``recipients``, ``names``, ``texts``: the fields that the relay
  itself reads
- for each part ``structure``, ``part_fields``, ``filenames``, ``flowed``
- ``inline``, ``files``, ``content_ids``: all parts together
- ``headers``, ``values``: the fields that the request passes on

A parser that reads what a standard does not allow, like ``charsets``, notes it itself. A new kind
of odd message costs one rule and one case in ``tests/cases/relay``.
"""
