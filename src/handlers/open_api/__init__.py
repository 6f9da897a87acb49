"""``/open_api``: the public settings, and the checks of credentials and passwords.

Requests need no credential and no password in a header, not even the site password.
"""
