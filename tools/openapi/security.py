"""The access rules of the routes, as security schemes."""

from typing import Any

from web.auth import Access

SCHEMES = {
    "addressCredential": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The credential of an address: the `jwt` that its creation returned.",
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
        "description": "The site password, if the deployment has one.",
    },
}


def _also_with_site_password(*schemes: str) -> list[dict[str, Any]]:
    needed: dict[str, Any] = {scheme: [] for scheme in schemes}
    return [needed, {**needed, "sitePassword": []}]


REQUIREMENTS: dict[Access, list[dict[str, Any]]] = {
    Access.OPEN: [],
    Access.SITE: _also_with_site_password(),
    Access.ADDRESS: _also_with_site_password("addressCredential"),
    Access.API_KEY: [{"addressCredential": []}],
    Access.ADMIN: _also_with_site_password("adminPassword"),
}
