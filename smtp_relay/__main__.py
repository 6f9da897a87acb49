"""Start the relay: ``send-mail-smtp``, or ``python -m smtp_relay``.

Settings come from the environment and from a file ``.env`` in the current folder; docs/smtp.md
lists them.
"""

import argparse
import asyncio
import contextlib
import errno
import logging
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from smtp_relay.log import log, log_fault
from smtp_relay.relay import Relay
from smtp_relay.settings import Settings, SettingsError, read_env_file, read_settings

_OTHER_FILES = 100


def main() -> int:
    """Run until SIGTERM or SIGINT; return the exit status: 2 for settings that can't be used."""
    parser = argparse.ArgumentParser(prog="send-mail-smtp", description=__doc__)
    parser.add_argument("--env-file", type=Path, default=Path(".env"), metavar="FILE")
    options = parser.parse_args()
    # aiosmtpd writes what clients say into its log.
    logging.getLogger("mail.log").disabled = True
    try:
        settings = read_settings({**read_env_file(options.env_file), **os.environ})
        _allow_open_files(settings)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(settings))
    except SettingsError as error:
        print(f"send-mail-smtp: {error}", file=sys.stderr)
        return 2
    return 0


def _allow_open_files(settings: Settings) -> None:
    """Raise the limit of open files to what the connections need.

    :raises SettingsError: the system does not allow so many.
    """
    needed = settings.smtp_max_connections + settings.api_connections + _OTHER_FILES
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY not in (now, most) and needed > most:
        raise SettingsError(
            f"SMTP_MAX_CONNECTIONS={settings.smtp_max_connections} and "
            f"API_CONNECTIONS={settings.api_connections} need {needed} open files, and the system "
            f"allows {most}"
        )
    if now != resource.RLIM_INFINITY and needed > now:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, most))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_note_fault)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await Relay(settings).run(stop)


def _note_fault(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    if isinstance(error, OSError):
        # Connections end in many ways, and none of them is a fault; but one must be able to begin.
        if error.errno in (errno.EMFILE, errno.ENFILE):
            log("out_of_files", problem=error.strerror)
    elif error is not None:
        log_fault(error)


if __name__ == "__main__":
    sys.exit(main())
