"""Stand-ins for the modules that exist only in the Worker."""

import sys
from collections.abc import Iterable, Mapping
from types import ModuleType

import pytest


def stand_in(
    monkeypatch: pytest.MonkeyPatch,
    modules: Mapping[str, Mapping[str, object]],
    *,
    anew: Iterable[str],
) -> None:
    """Replace ``modules`` by modules with these members. The modules ``anew`` import them."""
    for name, members in modules.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    for name in anew:
        monkeypatch.delitem(sys.modules, name, raising=False)
