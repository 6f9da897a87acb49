"""Programs of Debian that send the mail of a whole machine through the relay, with a login.

docs/smtp.md has the same settings.
"""

import time
from collections.abc import Iterator

import pytest

from tests.e2e.api import Api, Sender
from tests.smtp.debian import Debian, debian_with
from tests.smtp.mails import ENVELOPE, Left, check_full_mail, full_mail, left
from tests.smtp.relay import RelayProcess

pytestmark = pytest.mark.slow

# As cron writes the output of a job. It passes this to sendmail, with BY_CRON.
CRON = b"""From: root (Cron Daemon)
To: root
Subject: Cron <root@web1> run-backup
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit
X-Cron-Env: <SHELL=/bin/sh>
X-Cron-Env: <HOME=/root>
X-Cron-Env: <PATH=/usr/bin:/bin>
X-Cron-Env: <LOGNAME=root>

Nothing to do \xe2\x80\x93 see you tomorrow
"""
FULL = full_mail().as_bytes().replace(b"\r\n", b"\n")
BY_CRON = ("-i", "-FCronDaemon", "-B8BITMIME", "-oem", "root")
ADMIN = "admin@example.net"


@pytest.fixture(scope="module")
def postfix() -> Iterator[Debian]:
    with debian_with("postfix", "libsasl2-modules", "bsd-mailx") as debian:
        debian.run("postconf", "-MX", "smtp/inet")  # it shares the ports of this machine
        debian.run("postconf", "maillog_file=/var/log/postfix.log", "myhostname=web1")
        debian.write("/etc/aliases", f"root: {ADMIN}\n")
        debian.run("newaliases")
        debian.run("postfix", "start")
        yield debian


@pytest.fixture(params=["none", "encrypt"])
def postfix_client(
    postfix: Debian, relay: RelayProcess, sender: Sender, request: pytest.FixtureRequest
) -> Debian:
    """Postfix with the settings of docs/smtp.md, without and with TLS."""
    host = f"[127.0.0.1]:{relay.port}"  # by default Postfix looks up names in DNS only
    postfix.run(
        "postconf",
        f"relayhost = {host}",
        "smtp_sasl_auth_enable = yes",
        "smtp_sasl_password_maps = texthash:/etc/postfix/relay_password",
        "smtp_sasl_security_options = noanonymous",
        f"smtp_tls_security_level = {request.param}",
    )
    postfix.write("/etc/postfix/relay_password", f"{host} jwt:{sender.jwt}\n", mode=0o600)
    postfix.run("postfix", "reload")
    return postfix


def sent(api: Api, sender: Sender, server: Debian, log: str) -> Left:
    """Wait for the mail that the server passes on."""
    deadline = time.monotonic() + 15
    while not (mails := left(api, sender)):
        assert time.monotonic() < deadline, server.run("tail", "-n", "30", log).stdout.decode()
        time.sleep(0.2)
    (mail,) = mails
    return mail


def check_cron_mail(mail: Left) -> None:
    assert mail.form["subject"].startswith("Cron <root@")
    assert mail.form["from"].startswith('"Cron Daemon" <')
    assert "replyTo" not in mail.form
    assert (mail.form["to"] or mail.form["bcc"]) == [ADMIN]
    assert mail.form["headers"]["X-Cron-Env"].startswith("<SHELL=/bin/sh>, <HOME=/root>")
    assert (mail.text or "").rstrip() == "Nothing to do – see you tomorrow"


POSTFIX_LOG = "/var/log/postfix.log"


def test_everything_through_postfix(postfix_client: Debian, api: Api, sender: Sender) -> None:
    postfix_client.run("sendmail", "-i", "-f", sender.address, *ENVELOPE, content=FULL)
    sent(api, sender, postfix_client, POSTFIX_LOG)
    check_full_mail(api, sender)


def test_cron_through_postfix(postfix_client: Debian, api: Api, sender: Sender) -> None:
    postfix_client.run("sendmail", *BY_CRON, content=CRON)
    check_cron_mail(sent(api, sender, postfix_client, POSTFIX_LOG))


def test_mailx_through_postfix(postfix_client: Debian, api: Api, sender: Sender) -> None:
    text = "Größe: 3\n".encode()
    postfix_client.run("mail", "-s", "Report of web1", "root", content=text)
    mail = sent(api, sender, postfix_client, POSTFIX_LOG)
    assert (mail.form["subject"], mail.text) == ("Report of web1", "Größe: 3\r\n")


EXIM_LOG = "/var/log/exim4/mainlog"


@pytest.fixture(scope="module")
def exim() -> Iterator[Debian]:
    with debian_with("exim4-daemon-light") as debian:
        debian.write("/etc/aliases", f"root: {ADMIN}\n")
        debian.write("/etc/mailname", "web1\n")
        # Exim does not send to its own machine otherwise.
        template = "/etc/exim4/exim4.conf.template"
        debian.run("sed", "-i", r"s/^smarthost:$/&\n  self = send/", template)
        macro = "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = 1\n"
        debian.write("/etc/exim4/exim4.conf.localmacros", macro)
        yield debian


@pytest.fixture
def exim_client(exim: Debian, relay: RelayProcess, sender: Sender) -> Debian:
    """Exim with the settings of docs/smtp.md."""
    settings = {
        "eximconfig_configtype": "smarthost",
        "other_hostnames": "web1",
        "local_interfaces": "127.0.0.1 ; ::1",
        "smarthost": f"127.0.0.1::{relay.port}",
        "use_split_config": "false",
        "localdelivery": "mail_spool",
    }
    lines = [f"dc_{name}='{value}'\n" for name, value in settings.items()]
    exim.write("/etc/exim4/update-exim4.conf.conf", "".join(lines))
    exim.write("/etc/exim4/passwd.client", f"*:jwt:{sender.jwt}\n", mode=0o640)
    exim.run("chgrp", "Debian-exim", "/etc/exim4/passwd.client")
    exim.run("update-exim4.conf")
    return exim


def test_everything_through_exim(exim_client: Debian, api: Api, sender: Sender) -> None:
    exim_client.run("sendmail", "-i", "-f", sender.address, *ENVELOPE, content=FULL)
    sent(api, sender, exim_client, EXIM_LOG)
    check_full_mail(api, sender)


def test_cron_through_exim(exim_client: Debian, api: Api, sender: Sender) -> None:
    exim_client.run("sendmail", *BY_CRON, content=CRON)
    check_cron_mail(sent(api, sender, exim_client, EXIM_LOG))


def run_cron(debian: Debian) -> None:
    """Let Debian's cron run a job, and send the output of the job."""
    job = "printf 'Nothing to do \\342\\200\\223 see you tomorrow\\n'"
    debian.write("/etc/cron.d/backup", f"@reboot root {job}\n")
    debian.run("sh", "-c", "kill $(cat /run/crond.pid); rm -f /run/crond.*", check=False)
    debian.start("cron", "-f")


@pytest.fixture(scope="module")
def nullmailer() -> Iterator[Debian]:
    with debian_with("nullmailer", "cron") as debian:
        debian.write("/etc/mailname", "web1\n")
        debian.write("/etc/nullmailer/me", "web1\n")
        debian.write("/etc/nullmailer/adminaddr", f"{ADMIN}\n")
        yield debian


@pytest.fixture
def nullmailer_client(nullmailer: Debian, relay: RelayProcess, sender: Sender) -> Debian:
    """nullmailer with the settings of docs/smtp.md."""
    login = f"--auth-login --user=jwt --pass={sender.jwt}"
    remote = f"127.0.0.1 smtp --port={relay.port} {login}\n"
    nullmailer.write("/etc/nullmailer/remotes", remote, mode=0o600)
    nullmailer.run("chown", "mail:mail", "/etc/nullmailer/remotes")
    start = "exec setpriv --reuid=mail --regid=mail --clear-groups nullmailer-send"
    nullmailer.start("sh", "-c", f"{start} >/var/log/mail.log 2>&1")
    return nullmailer


def test_cron_through_nullmailer(nullmailer_client: Debian, api: Api, sender: Sender) -> None:
    run_cron(nullmailer_client)
    check_cron_mail(sent(api, sender, nullmailer_client, "/var/log/mail.log"))


@pytest.fixture
def msmtp(relay: RelayProcess, sender: Sender) -> Iterator[Debian]:
    """msmtp as sendmail, with the settings of docs/smtp.md."""
    with debian_with("msmtp-mta", "cron") as debian:
        settings = {
            "host": "127.0.0.1",
            "port": str(relay.port),
            "auth": "plain",
            "user": "jwt",
            "password": sender.jwt,
            "from": sender.address,
            "aliases": "/etc/aliases",
            "logfile": "/var/log/msmtp",
        }
        lines = [f"{name} {value}\n" for name, value in settings.items()]
        debian.write("/etc/msmtprc", "account default\n" + "".join(lines), mode=0o600)
        debian.write("/etc/aliases", f"default: {ADMIN}\n")
        yield debian


def test_cron_through_msmtp(msmtp: Debian, api: Api, sender: Sender) -> None:
    run_cron(msmtp)
    check_cron_mail(sent(api, sender, msmtp, "/var/log/msmtp"))


@pytest.fixture(scope="module")
def programs() -> Iterator[Debian]:
    with debian_with("s-nail", "git-email", "libauthen-sasl-perl", "libmailtools-perl") as debian:
        yield debian


def test_s_nail(programs: Debian, relay: RelayProcess, api: Api, sender: Sender) -> None:
    settings = {
        "v15-compat": "",
        "mta": f"smtp://jwt:{sender.jwt}@127.0.0.1:{relay.port}",
        "smtp-auth": "plain",
        "from": f"Zoë <{sender.address}>",
    }
    programs.write("/tmp/table.csv", "1,2\n")
    programs.run(
        *("s-nail", "-:/", *(f"-S{name}={value}" for name, value in settings.items())),
        *("-s", "Grüße", "-a", "/tmp/table.csv", "-c", "cc@example.net", "to@example.net"),
        content="Größe: 3\n".encode(),
    )
    (mail,) = left(api, sender)
    assert mail.form["from"] == f'"Zoë" <{sender.address}>'
    assert (mail.form["to"], mail.form["cc"]) == (["to@example.net"], ["cc@example.net"])
    assert (mail.form["subject"], (mail.text or "").rstrip()) == ("Grüße", "Größe: 3")
    ((name, _, _, content),) = mail.files
    assert (name, content.splitlines()) == ("table.csv", [b"1,2"])


PATCH = """From 7f3c1d2e4b5a69788796a5b4c3d2e1f00f1e2d3c Mon Sep 17 00:00:00 2001
From: Zoë <zoe@example.org>
Date: Mon, 30 Nov 2026 10:00:00 +0000
Subject: [PATCH] Größe: count to three
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

---
 a.txt | 2 +-
 1 file changed, 1 insertion(+), 1 deletion(-)

diff --git a/a.txt b/a.txt
index 0cfbf08..00750ed 100644
--- a/a.txt
+++ b/a.txt
@@ -1 +1 @@
-2
+3
--\x20
2.39.5
"""


def test_git_send_email(programs: Debian, relay: RelayProcess, api: Api, sender: Sender) -> None:
    programs.write("/tmp/patches/0001-count.patch", PATCH)
    programs.run(
        *("git", "-C", "/tmp", "send-email", "--confirm=never", "--smtp-auth=PLAIN"),
        *("--smtp-server=127.0.0.1", f"--smtp-server-port={relay.port}", "--suppress-cc=all"),
        *("--smtp-user=jwt", f"--smtp-pass={sender.jwt}", f"--from=Zoë <{sender.address}>"),
        *("--to=list@example.net", "/tmp/patches/0001-count.patch"),
    )
    (mail,) = left(api, sender)
    assert mail.form["to"] == ["list@example.net"]
    assert mail.form["subject"] == "[PATCH] Größe: count to three"
    assert mail.form["headers"]["X-Mailer"].startswith("git-send-email ")
    assert "\r\n-2\r\n+3\r\n-- \r\n" in (mail.text or "")
