"""The benchmark command, without its measurements."""

from pathlib import Path

import pytest

from tools.bench.__main__ import main


@pytest.fixture(autouse=True)
def without_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("tools.bench.upload.measure", measure)
    monkeypatch.setattr("signal.signal", lambda *_: None)


def test_an_error_of_the_system_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1
    assert capsys.readouterr().err.endswith("\nno space left\n")


def test_the_file_for_the_figures_is_checked_first(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["--json", str(tmp_path / "missing" / "figures.json")]) == 1
    assert "figures.json" in capsys.readouterr().err
