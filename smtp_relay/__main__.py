"""Start the SMTP relay: ``send-mail-smtp``, or ``python -m smtp_relay``.

The settings are environment variables. Settings that are not set there are read from the file .env
in the current folder.
"""

import argparse
import asyncio
import contextlib
import ctypes
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
from smtp_relay.settings import (
    Settings,
    SettingsError,
    beyond_api,
    read_settings,
    settings_help,
)
from smtp_relay.spelling import misspelled

# For listeners, standard streams, and files that are opened briefly.
_OTHER_FILES = 100
_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of mallopt(3)
_LARGE_BYTES = 64 * 1024


def main() -> int:
    """Run until SIGTERM or SIGINT. Return the exit status: 0, or 2 if a setting is invalid."""
    options = _parse_arguments()
    # This logger of aiosmtpd would log what clients send.
    logging.getLogger("mail.log").disabled = True
    try:
        file = _read_env_file(options.env_file)
        given = {**file, **os.environ}
        settings = read_settings(given)
        names = [name for name, _, _ in settings_help()]
        for name, setting in misspelled(given, names).items():
            log("unknown_setting", name=name, did_you_mean=setting)
        for name, maximum in beyond_api(settings).items():
            log("setting_beyond_api", name=name, api_accepts=maximum)
        _allow_open_files(settings)
        _return_free_memory()
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(settings))
    except (EnvFileError, SettingsError) as error:
        print(f"send-mail-smtp: {error}", file=sys.stderr)
        return 2
    return 0


def _read_env_file(chosen: Path | None) -> dict[str, str]:
    """The variables in the file ``chosen``. Without it, read ``.env``, which may be missing.

    :raises EnvFileError: the file is missing, can't be read, or has an invalid line.
    """
    if chosen is not None and not chosen.exists():
        raise EnvFileError(f"there is no file {chosen}; correct --env-file")
    return read_env_file(chosen or Path(".env"))


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
    parser.add_argument("--env-file", type=Path, metavar="FILE")
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


def _return_free_memory() -> None:
    """Let the C library return the memory of messages to the system as soon as it is free.

    By default, the GNU library keeps freed memory as long as a smaller object behind it is in use.
    """
    with contextlib.suppress(AttributeError, OSError):  # another C library has no mallopt
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)


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
