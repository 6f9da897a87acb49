"""Start the SMTP relay: ``send-mail-smtp``, or ``python -m smtp_relay``.

The settings are environment variables. Settings that are not set there are read from the file .env
in the current folder.
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

from smtp_relay.api import Api
from smtp_relay.env_file import EnvFileError, read_env_file
from smtp_relay.log import log, log_fault
from smtp_relay.metrics import Metrics
from smtp_relay.relay import Relay
from smtp_relay.settings import Settings, SettingsError, read_settings, settings_help

# For listeners, standard streams, and files that are opened briefly.
_OTHER_FILES = 100


def main() -> int:
    """Run until SIGTERM or SIGINT. Return the exit status: 0, or 2 if a setting is invalid."""
    options = _parse_arguments()
    # This logger of aiosmtpd would log what clients send.
    logging.getLogger("mail.log").disabled = True
    try:
        settings = read_settings({**read_env_file(options.env_file), **os.environ})
        _allow_open_files(settings)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(settings))
    except (EnvFileError, SettingsError) as error:
        print(f"send-mail-smtp: {error}", file=sys.stderr)
        return 2
    return 0


def _parse_arguments() -> argparse.Namespace:
    settings = "".join(
        f"\n  {name}{f' (default: {default})' if default else ''}\n      {text}"
        for name, default, text in settings_help()
    )
    parser = argparse.ArgumentParser(
        prog="send-mail-smtp",
        description=__doc__,
        epilog=f"settings:{settings}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--env-file", type=Path, default=Path(".env"), metavar="FILE")
    return parser.parse_args()


def _allow_open_files(settings: Settings) -> None:
    """Raise the limit for open files to the number that the settings need.

    :raises SettingsError: the system does not allow that many.
    """
    needed = settings.smtp_max_connections + settings.api_connections + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY not in (soft, hard) and needed > hard:
        raise SettingsError(
            f"SMTP_MAX_CONNECTIONS={settings.smtp_max_connections} and "
            f"API_CONNECTIONS={settings.api_connections} need {needed} open files, and the system "
            f"allows {hard}"
        )
    if soft != resource.RLIM_INFINITY and needed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_handle_loop_error)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    metrics = Metrics()
    async with contextlib.aclosing(Api(settings, metrics.api_requests)) as api:
        await Relay(settings, api, metrics).run(stop)


def _handle_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    if isinstance(error, OSError):
        # Failed connections are normal. Without free file descriptors no client can connect.
        if error.errno in (errno.EMFILE, errno.ENFILE):
            log("out_of_files", problem=error.strerror)
    elif error is not None:
        log_fault(error)


if __name__ == "__main__":
    sys.exit(main())
