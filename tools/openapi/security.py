"""What the guards of the routes ask for."""

from typing import Any

SCHEMES = {
    "addressCredential": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The credential of an address: the `jwt` of the answer that created it.",
    },
    "adminPassword": {
        "type": "apiKey",
        "in": "header",
        "name": "x-admin-auth",
        "description": "One of the deployment's admin passwords.",
    },
    "sitePassword": {
        "type": "apiKey",
        "in": "header",
        "name": "x-custom-auth",
        "description": "The site password, where the deployment has one.",
    },
}


def _also_with_site_password(*schemes: str) -> list[dict[str, Any]]:
    needed: dict[str, Any] = {scheme: [] for scheme in schemes}
    return [needed, {**needed, "sitePassword": []}]


# By the name of the guard
REQUIREMENTS = {
    "OPEN": [],
    "SITE": _also_with_site_password(),
    "ADDRESS": _also_with_site_password("addressCredential"),
    "API_KEY": [{"addressCredential": []}],
    "ADMIN": _also_with_site_password("adminPassword"),
}
