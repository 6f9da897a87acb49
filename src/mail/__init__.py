"""A message and its life: its fields, their syntax and limits, its stored form, its statuses.

Everything here runs without a database. The computed size of a message is an upper bound, because
the provider chooses the encoding of each part. Addresses with a quoted local part are rejected: the
provider does not accept them. Every regular expression for texts and HTML runs in linear time.
"""
