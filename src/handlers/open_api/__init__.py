"""``/open_api``: the endpoints that need no credential."""
