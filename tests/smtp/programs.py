"""Common programs that send mail. Missing ones are installed from Debian."""

import functools
import json
import os
import shutil
import smtplib
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Literal

import pytest

from tests.e2e.api import Sender
from tests.smtp.mails import EVERY_BYTE, HTML, LOGO, TEXT
from tests.smtp.relay import HOST, RelayProcess, insecure_context
from tools.wrangler import node_binary

Way = Literal["plain", "starttls", "tls"]

_NODEMAILER = Path(__file__).parent / "nodemailer.mjs"
_SECONDS = 60


@dataclass(frozen=True)
class Order:
    """A message to send to ``relay``, logged in as ``sender``. ``way`` is how TLS is used."""

    relay: RelayProcess
    way: Way
    sender: Sender
    mail: EmailMessage
    recipients: list[str]
    certificate: Path  # a folder

    @property
    def port(self) -> str:
        return str(self.relay.tls_port if self.way == "tls" else self.relay.port)

    @property
    def cert(self) -> str:
        return str(self.certificate / "cert.pem")


def by_smtplib(order: Order) -> None:
    """Python's standard library."""
    if order.way == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            HOST, order.relay.tls_port, timeout=_SECONDS, context=insecure_context()
        )
    else:
        smtp = smtplib.SMTP(HOST, order.relay.port, timeout=_SECONDS)
    with smtp:
        if order.way == "starttls":
            smtp.starttls(context=insecure_context())
        smtp.login(order.sender.address, order.sender.jwt)
        refused = smtp.send_message(order.mail, order.sender.address, order.recipients)
    assert refused == {}


def by_swaks(order: Order) -> None:
    """The Swiss army knife for SMTP, in Perl."""
    tls = {"plain": [], "starttls": ["--tls"], "tls": ["--tls-on-connect"]}[order.way]
    _run(
        installed("swaks"),
        *("--server", HOST, "--port", order.port, "--timeout", str(_SECONDS), *tls),
        *("--auth", "LOGIN", "--auth-user", "jwt", "--auth-password", order.sender.jwt),
        *("--from", order.sender.address, "--to", ",".join(order.recipients), "--data", "-"),
        content=order.mail.as_bytes().replace(b"\r\n", b"\n"),
    )


def by_msmtp(order: Order) -> None:
    """The client that mutt and cron use."""
    tls = {
        "plain": ["--tls=off"],
        "starttls": ["--tls=on", "--tls-starttls=on"],
        "tls": ["--tls=on", "--tls-starttls=off"],
    }[order.way]
    _run(
        installed("msmtp"),
        *("--file=/dev/null", f"--host={HOST}", f"--port={order.port}", f"--timeout={_SECONDS}"),
        *(*tls, f"--tls-trust-file={order.cert}" if order.way != "plain" else "--tls-certcheck=on"),
        *("--auth=plain", "--user=jwt", "--passwordeval=echo $RELAY_PASSWORD"),
        *(f"--from={order.sender.address}", "--", *order.recipients),
        content=order.mail.as_bytes().replace(b"\r\n", b"\n"),
        RELAY_PASSWORD=order.sender.jwt,
    )


def by_curl(order: Order) -> None:
    """libcurl, which PHP and others use."""
    scheme = "smtps" if order.way == "tls" else "smtp"
    tls = [] if order.way == "plain" else ["--ssl-reqd", "--cacert", order.cert]
    _run(
        installed("curl"),
        *("--silent", "--show-error", "--max-time", str(_SECONDS), *tls),
        *("--url", f"{scheme}://{HOST}:{order.port}/test.example"),
        *("--user", f"jwt:{order.sender.jwt}", "--mail-from", order.sender.address),
        *(word for recipient in order.recipients for word in ("--mail-rcpt", recipient)),
        *("--upload-file", "-"),
        content=order.mail.as_bytes(),
    )


def by_nodemailer(order: Order) -> None:
    """The library that Node.js programs use. It composes the message itself."""
    options = {
        "host": HOST,
        "port": int(order.port),
        "way": order.way,
        "ca": (order.certificate / "cert.pem").read_text(),
        "user": order.sender.address,
        "password": order.sender.jwt,
        "subject": order.mail["Subject"],
        "text": TEXT,
        "html": HTML,
        "logo": LOGO.hex(),
        "file": EVERY_BYTE.hex(),
        "recipients": order.recipients,
    }
    assert _NODEMAILER.parents[2].joinpath("node_modules", "nodemailer").is_dir(), (
        "nodemailer is not installed: run `make prepare`"
    )
    _run(str(node_binary()), str(_NODEMAILER), content=json.dumps(options).encode())


PROGRAMS: dict[str, Callable[[Order], None]] = {
    "smtplib": by_smtplib,
    "swaks": by_swaks,
    "msmtp": by_msmtp,
    "curl": by_curl,
    "nodemailer": by_nodemailer,
}


@functools.cache
def installed(name: str) -> str:
    """The path of the program ``name``. Installs it from Debian if it is missing."""
    packages = {"swaks": ["swaks", "libnet-ssleay-perl"]}.get(name, [name])
    if shutil.which(name) is None and shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            subprocess.run(["apt-get", *words], env=environment, capture_output=True, check=False)
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is needed: apt-get install {' '.join(packages)}", pytrace=False)
    return path


def _run(*command: str, content: bytes, **environment: str) -> None:
    done = subprocess.run(
        command,
        input=content,
        capture_output=True,
        timeout=_SECONDS + 30,
        env={**os.environ, **environment},
        check=False,
    )
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, said
