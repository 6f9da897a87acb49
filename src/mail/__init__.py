"""A message and its life: its fields, their syntax and limits, its stored form, its statuses.

Everything here runs without a database. The size of a message is an upper bound, because the
provider chooses the encoding of each part. Quoted local parts are rejected: the provider takes
none. Texts and HTML are read by linear patterns only.
"""
