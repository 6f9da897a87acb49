"""Administration on the real D1: large parameters, and characters with a meaning in SQL."""

from collections.abc import Iterator

import pytest

from tests.e2e.api import Api, done


@pytest.fixture
def settings(api: Api) -> Iterator[Api]:
    yield api
    done(api.admin("POST", "/admin/account_settings", json={"sendBlockList": []}))


@pytest.mark.slow
@pytest.mark.contract("POST /admin/account_settings: Accepts ten thousand entries")
def test_ten_thousand_entries(settings: Api) -> None:
    entries = [f"recipient{number}@example.net" for number in range(10_000)]
    posted = {"sendBlockList": entries}
    done(settings.admin("POST", "/admin/account_settings", json=posted))
    assert settings.admin("GET", "/admin/account_settings").json()["sendBlockList"] == entries
    response = settings.send(settings.new_sender(), to_mail="RECIPIENT9999@example.net")
    assert response.json()["code"] == "address_blocked"
    response = settings.admin(
        "POST", "/admin/account_settings", json={"sendBlockList": [*entries, "x@example.net"]}
    )
    assert (response.status_code, response.json()["code"]) == (413, "list_too_large")
    quotes = [f"{number}" + '"' * 55 for number in range(10_000)]
    response = settings.admin("POST", "/admin/account_settings", json={"blockList": quotes})
    assert (response.status_code, response.json()["code"]) == (413, "list_too_large")
    assert settings.admin("GET", "/admin/account_settings").json()["sendBlockList"] == entries


@pytest.mark.slow
@pytest.mark.contract("attacks: SQL is treated as data in every field and parameter")
@pytest.mark.parametrize("hostile", ["a\0b", "' OR 1=1 --"])
def test_hostile_search_terms_find_nothing(api: Api, hostile: str) -> None:
    api.new_sender()
    for path, parameter in (
        ("/admin/address", "query"),
        ("/admin/address_sender", "address"),
        ("/admin/sendbox", "address"),
        ("/admin/suppressions", "address"),
    ):
        response = api.admin("GET", path, params={parameter: hostile})
        assert response.json()["results"] == []
