"""What an address JWT says."""

from typing import Any

import jwt

from tests.e2e.api import SECRET


def claims_of(token: str) -> dict[str, Any]:
    """The claims of ``token``, whose signature must be valid.

    ``iat`` is not checked: the clock of a ``TestClient`` runs ahead of the real one.
    """
    claims: dict[str, Any] = jwt.decode(
        token, SECRET, algorithms=["HS256"], options={"verify_iat": False}
    )
    return claims
