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
class Submission:
    """A message to send to ``relay``, logged in as ``sender``, with TLS as ``way`` says."""

    relay: RelayProcess
    way: Way
    sender: Sender
    mail: EmailMessage
    recipients: list[str]
    certificate: Path  # the folder with cert.pem

    @property
    def port(self) -> str:
        return str(self.relay.tls_port if self.way == "tls" else self.relay.port)

    @property
    def cert(self) -> str:
        return str(self.certificate / "cert.pem")


def by_smtplib(job: Submission) -> None:
    """Python's standard library."""
    if job.way == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            HOST, job.relay.tls_port, timeout=_SECONDS, context=insecure_context()
        )
    else:
        smtp = smtplib.SMTP(HOST, job.relay.port, timeout=_SECONDS)
    with smtp:
        if job.way == "starttls":
            smtp.starttls(context=insecure_context())
        smtp.login(job.sender.address, job.sender.jwt)
        rejected = smtp.send_message(job.mail, job.sender.address, job.recipients)
    assert rejected == {}


def by_swaks(job: Submission) -> None:
    """The Swiss army knife for SMTP, in Perl."""
    tls = {"plain": [], "starttls": ["--tls"], "tls": ["--tls-on-connect"]}[job.way]
    _run(
        installed("swaks"),
        *("--server", HOST, "--port", job.port, "--timeout", str(_SECONDS), *tls),
        *("--auth", "LOGIN", "--auth-user", "jwt", "--auth-password", job.sender.jwt),
        *("--from", job.sender.address, "--to", ",".join(job.recipients), "--data", "-"),
        content=job.mail.as_bytes().replace(b"\r\n", b"\n"),
    )


def by_msmtp(job: Submission) -> None:
    """The client that mutt and cron use."""
    tls = {
        "plain": ["--tls=off"],
        "starttls": ["--tls=on", "--tls-starttls=on"],
        "tls": ["--tls=on", "--tls-starttls=off"],
    }[job.way]
    _run(
        installed("msmtp"),
        *("--file=/dev/null", f"--host={HOST}", f"--port={job.port}", f"--timeout={_SECONDS}"),
        *(*tls, f"--tls-trust-file={job.cert}" if job.way != "plain" else "--tls-certcheck=on"),
        *("--auth=plain", "--user=jwt", "--passwordeval=echo $RELAY_PASSWORD"),
        *(f"--from={job.sender.address}", "--", *job.recipients),
        content=job.mail.as_bytes().replace(b"\r\n", b"\n"),
        RELAY_PASSWORD=job.sender.jwt,
    )


def by_curl(job: Submission) -> None:
    """libcurl, which PHP and others use."""
    scheme = "smtps" if job.way == "tls" else "smtp"
    tls = [] if job.way == "plain" else ["--ssl-reqd", "--cacert", job.cert]
    _run(
        installed("curl"),
        *("--silent", "--show-error", "--max-time", str(_SECONDS), *tls),
        *("--url", f"{scheme}://{HOST}:{job.port}/test.example"),
        *("--user", f"jwt:{job.sender.jwt}", "--mail-from", job.sender.address),
        *(word for recipient in job.recipients for word in ("--mail-rcpt", recipient)),
        *("--upload-file", "-"),
        content=job.mail.as_bytes(),
    )


def by_nodemailer(job: Submission) -> None:
    """The library that Node.js programs use. It composes the message itself."""
    options = {
        "host": HOST,
        "port": int(job.port),
        "way": job.way,
        "ca": (job.certificate / "cert.pem").read_text(),
        "user": job.sender.address,
        "password": job.sender.jwt,
        "subject": job.mail["Subject"],
        "text": TEXT,
        "html": HTML,
        "logo": LOGO.hex(),
        "file": EVERY_BYTE.hex(),
        "recipients": job.recipients,
    }
    assert _NODEMAILER.parents[2].joinpath("node_modules", "nodemailer").is_dir(), (
        "nodemailer is not installed: run `make prepare`"
    )
    _run(str(node_binary()), str(_NODEMAILER), content=json.dumps(options).encode())


PROGRAMS: dict[str, Callable[[Submission], None]] = {
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
