"""The version of this service, the same as in pyproject.toml."""

VERSION = "0.1.0"
