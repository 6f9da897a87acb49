"""``/admin``: the endpoints for administrators."""
