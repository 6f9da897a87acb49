"""Reads the file ``.env``."""

from pathlib import Path


class EnvFileError(Exception):
    """The file can't be read, or a line is invalid. The text names the file."""


def read_env_file(path: Path) -> dict[str, str]:
    """The variables in ``path``, without quotes around values. Empty if there is no such file.

    :raises EnvFileError: a line is not ``NAME=value``, or the file can't be read.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise EnvFileError(f"{path} can't be read: {error}") from error
    variables = {}
    for number, line in enumerate(lines, 1):
        line = line.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            raise EnvFileError(f"{path}, line {number}: the form must be NAME=value")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        variables[name.strip()] = value
    return variables
