"""The example of an operation as a curl command."""

import json
from typing import Any

from tools.openapi.markup import Html, escape, tag

_PLACE = tag("span", "https://mail.example.com", data_origin="")
_WORDS = {
    "addressCredential": "Authorization: Bearer JWT",
    "adminPassword": "x-admin-auth: ADMIN PASSWORD",
}


def curl(method: str, path: str, operation: dict[str, Any]) -> Html:
    """The curl command with the operation's first example, ready to paste into a shell."""
    for parameter in operation["parameters"]:
        path = path.replace(f"{{{parameter.get('name')}}}", str(parameter.get("example")))
    body = _first_body(operation)
    required = operation["security"][0] if operation["security"] else {}
    options = [f"-H '{_WORDS[scheme]}'" for scheme in required]
    if method != ("GET" if body is None else "POST"):
        options.insert(0, f"-X {method}")
    if body is not None:
        options += ["-H 'Content-Type: application/json'", f"-d {_quoted(_indented(body))}"]
    lines = [Html(f"curl {_PLACE}{escape(path)}"), *map(escape, options)]
    return Html(" \\\n  ".join(lines))


def _first_body(operation: dict[str, Any]) -> Any:
    if "requestBody" not in operation:
        return None
    first, *_ = operation["requestBody"]["content"]["application/json"]["examples"].values()
    return first["value"]


def _indented(body: Any) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False).replace("\n", "\n  ")


def _quoted(text: str) -> str:
    """`text`, quoted for a shell (POSIX, 2.2.2)."""
    return "'" + text.replace("'", "'\\''") + "'"
