"""Start, stop, monitoring and invalid settings."""

import asyncio
import json
import os
import resource
import smtplib
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from smtp_relay.__main__ import _serve
from smtp_relay.env_file import EnvFileError, read_env_file
from smtp_relay.settings import SettingsError, read_settings, settings_help
from smtp_relay.spelling import misspelled
from tests.smtp.certificates import make_certificate
from tests.smtp.conftest import Faulty
from tests.smtp.mails import short_mail as mail
from tests.smtp.relay import HOST, RelayProcess
from tools.local_server import free_port
from tools.prepare import ROOT

SECONDS = 2.0


def test_an_open_transaction_is_finished(faulty: Faulty, tmp_path: Path) -> None:
    sender = faulty.api.new_sender()
    said: list[str] = []

    def send(smtp: smtplib.SMTP) -> None:
        smtp.mail(sender.address)
        smtp.rcpt("recipient@example.net")
        code, text = smtp.data(mail(subject=f"[wait {SECONDS * 1000:.0f}]"))
        said.append(f"{code} {text.decode()}")
        said.append(str(smtp.getreply()[0]))

    with RelayProcess(faulty.api.server.url, tmp_path) as relay:
        idle, busy = relay.talk(), smtplib.SMTP(HOST, relay.port)
        assert idle.reply().startswith("220 ")
        busy.login("jwt", sender.jwt)
        thread = threading.Thread(target=send, args=[busy])
        thread.start()
        time.sleep(SECONDS / 4)
        relay.begin_to_stop()
        assert idle.reply() == "421 4.3.2 The relay is stopping: try again later"
        assert idle.reply() == ""
        idle.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, relay.port), timeout=1)
        assert relay.process.poll() is None
        with pytest.raises(urllib.error.HTTPError, match="503"):
            relay.get("/healthz")
        thread.join()
        assert relay.wait() == 0
    assert said[0].startswith("250 2.0.0 Ok: queued as ")
    assert said[1] == "421"
    assert relay.log_lines("stopped")


def test_an_unfinished_transaction_is_abandoned(faulty: Faulty, tmp_path: Path) -> None:
    sender = faulty.api.new_sender()
    impatient = {"SMTP_STOP_SECONDS": "0.5", "API_SECONDS": "0.3"}
    with (
        RelayProcess(faulty.api.server.url, tmp_path, settings=impatient) as relay,
        relay.talk() as talk,
    ):
        talk.log_in(sender)
        talk.begin_data()
        assert relay.stop() == 0  # waits less than the default of SMTP_STOP_SECONDS
        assert talk.reply().startswith("421 4.3.2 ")


def test_health_and_metrics(faulty: Faulty, tmp_path: Path) -> None:
    sender = faulty.api.new_sender()
    with RelayProcess(faulty.api.server.url, tmp_path) as relay:
        assert relay.get("/healthz") == "OK\n"
        with relay.client(sender) as smtp:
            smtp.sendmail(sender.address, ["a@example.net", "b@example.net"], mail())
            with pytest.raises(smtplib.SMTPDataError):
                smtp.sendmail(sender.address, ["a@example.net"], b"Subject: a\r\n\r\nNUL: \0")
            assert relay.metric("connections_open") == 1
        assert relay.metric('messages_total{result="accepted"}') == 1
        assert relay.metric('messages_total{result="permanent"}') == 1
        assert relay.metric("recipients_total") == 2
        assert relay.metric('logins_total{result="good"}') == 1
        assert relay.metric('api_request_seconds_bucket{le="+Inf"}') >= 3
        for path, status in {"/": 404, "/healthz/": 404}.items():
            with pytest.raises(urllib.error.HTTPError, match=str(status)):
                relay.get(path)
        with pytest.raises(urllib.error.HTTPError, match="405"):
            urllib.request.urlopen(f"http://{HOST}:{relay.status_port}/healthz", data=b"x")
        with socket.create_connection((HOST, relay.status_port)) as rubbish:
            rubbish.sendall(b"\xff" * 20_000)
        assert relay.get("/healthz") == "OK\n"


def test_the_log_contains_no_content(faulty: Faulty, tmp_path: Path) -> None:
    sender = faulty.api.new_sender()
    content = mail(subject="a secret subject", text="a secret text", message_id="<secret@id>")
    with RelayProcess(faulty.api.server.url, tmp_path) as relay, relay.client(sender) as smtp:
        smtp.sendmail("secret@envelope.example", ["secret@example.net"], content)
        (line,) = relay.log_lines("message")
    assert line["sender"] == sender.address
    assert (line["recipients"], line["result"], line["reply"]) == (1, "accepted", "250 2.0.0")
    assert line["message_id"] == faulty.api.messages_of(sender)[0]["id"]
    log = relay.log.read_text()
    assert "secret" not in log
    assert sender.jwt not in log
    assert all(json.loads(line) for line in log.splitlines())


def test_running_out_of_files_is_logged(faulty: Faulty, tmp_path: Path) -> None:
    with RelayProcess(faulty.api.server.url, tmp_path) as relay:
        pid = relay.process.pid
        in_use = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (in_use + 2, most))
        talks = [relay.talk() for _ in range(4)]
        relay.wait_for_log("out_of_files")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, most))
        for talk in talks:
            talk.close()


# Settings


def start(
    folder: Path, files: int | None = None, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run the relay until it exits. ``files`` limits the number of its open files."""
    limit = f"ulimit -n {files} && " if files else ""
    (folder / ".env").touch()
    return subprocess.run(
        [
            *("sh", "-c", f'{limit}exec "$@"', "sh"),
            *(sys.executable, "-m", "smtp_relay", "--env-file", str(folder / ".env")),
        ],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "STATUS_PORT": "off", **settings},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_an_invalid_setting_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SMTP_PORT=many\n")
    done = start(tmp_path)
    assert done.returncode == 2
    expected = "SMTP_PORT must be a port, from 1 to 65535, or 0 for any free one; it is 'many'"
    assert done.stderr == f"send-mail-smtp: {expected}\n"


def test_help_lists_the_settings() -> None:
    command = [sys.executable, "-m", "smtp_relay", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "  SMTP_MAX_HOPS (default: 30)\n" in done.stdout


@pytest.mark.parametrize("name", ["SMTP_PORT", "STATUS_PORT"])
def test_a_port_that_is_taken(tmp_path: Path, name: str) -> None:
    with socket.create_server((HOST, free_port())) as taken:
        port = taken.getsockname()[1]
        done = start(tmp_path, None, **{"SMTP_PORT": "0", name: str(port)})
    assert done.returncode == 2
    problem = "another program uses this port; stop it, or set"
    assert done.stderr == f"send-mail-smtp: {name}={port}: {problem} {name} to another port\n"


@pytest.mark.parametrize("name", ["SMTP_TLS_PORT", "STATUS_PORT"])
def test_a_port_that_another_setting_has(tmp_path: Path, name: str) -> None:
    folder, port = make_certificate(tmp_path), str(free_port())
    files = {"SMTP_TLS_CERT": folder / "cert.pem", "SMTP_TLS_KEY": folder / "key.pem"}
    given = {**{key: str(file) for key, file in files.items()}, "SMTP_PORT": port, name: port}
    problem = f"{name}={port}: SMTP_PORT is the same port; set {name} to another port"
    with pytest.raises(SettingsError, match=problem):
        asyncio.run(_serve(read_settings(given)))


def test_a_host_that_does_not_exist(tmp_path: Path) -> None:
    done = start(tmp_path, SMTP_PORT="0", STATUS_PORT="0", STATUS_HOST="no.such.host.invalid")
    assert done.returncode == 2
    assert "there is no host 'no.such.host.invalid' to listen on; correct STATUS_H" in done.stderr


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "smtp_relay", "--env-file", str(tmp_path / "relay.env")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert f"there is no file {tmp_path}/relay.env; correct --env-file" in done.stderr


def test_a_name_in_the_file_that_looks_like_a_setting() -> None:
    settings = [name for name, _, _ in settings_help()]
    given = ["SMTP_PROT", "api_url", "SMTP_PORT", "PATH", "DOMAINS"]
    expected = {"SMTP_PROT": "SMTP_PORT", "api_url": "API_URL"}
    assert misspelled(given, settings) == expected


def test_probable_mistakes_are_logged(tmp_path: Path) -> None:
    settings = {"SMTP_MAX_BYTES": "5242881", "SMTP_MAX_RECIPIENTS": "51", "SMTP_PROT": "25"}
    done = start(tmp_path, files=256, SMTP_MAX_CONNECTIONS="256", **settings)
    logged = [json.loads(line) for line in done.stdout.splitlines()]
    for line in logged:
        del line["time"]
    assert logged == [
        {"event": "unknown_setting", "name": "SMTP_PROT", "did_you_mean": "SMTP_PORT"},
        {"event": "setting_beyond_api", "name": "SMTP_MAX_BYTES", "api_accepts": 5_242_880},
        {"event": "setting_beyond_api", "name": "SMTP_MAX_RECIPIENTS", "api_accepts": 50},
    ]


def test_more_connections_than_files(tmp_path: Path) -> None:
    done = start(tmp_path, files=256, SMTP_MAX_CONNECTIONS="256")
    assert done.returncode == 2
    assert "the system allows 256" in done.stderr


def test_an_invalid_certificate(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("no certificate")
    path = str(tmp_path / "cert.pem")
    done = start(tmp_path, SMTP_TLS_CERT=path, SMTP_TLS_KEY=path)
    assert done.returncode == 2
    assert "are not a certificate in PEM format" in done.stderr


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"API_URL": "example.com"}, "API_URL must be the address of the API"),
        ({"API_URL": "http://me:secret@example.com"}, "API_URL must be"),
        ({"API_URL": "http://example.com:99999"}, "API_URL must be"),
        ({"API_SECONDS": "0"}, "API_SECONDS must be a number of seconds"),
        ({"API_SECONDS": "nan"}, "API_SECONDS must be a number of seconds"),
        ({"API_SECONDS": "65"}, "SMTP_STOP_SECONDS must be more than 75"),
        ({"API_SECONDS": "3", "SMTP_STOP_SECONDS": "4"}, "must be more than 4"),
        ({"SMTP_PORT": "65536"}, "SMTP_PORT must be a port"),
        ({"STATUS_PORT": "no"}, "STATUS_PORT must be a port"),
        ({"SMTP_MAX_BYTES": "5MB"}, "SMTP_MAX_BYTES must be a whole number"),
        ({"SMTP_MAX_CONNECTIONS": "9" * 5000}, "SMTP_MAX_CONNECTIONS must be"),
        ({"SMTP_MAX_BYTES": "1"}, "a whole number, at least 1024 and at most 99999999999; it is"),
        ({"SMTP_ALLOW_PLAIN_AUTH": "yes"}, "SMTP_ALLOW_PLAIN_AUTH must be true or false"),
        ({"SMTP_HOSTNAME": "a b"}, "SMTP_HOSTNAME must be a host name"),
        ({"SMTP_TLS_CERT": "/nowhere.pem"}, "SMTP_TLS_CERT must be a file that exists"),
        ({"SMTP_TLS_CERT": __file__}, "must be set together"),
        ({"SMTP_TLS_PORT": "465"}, "SMTP_TLS_PORT needs SMTP_TLS_CERT"),
        ({"SMTP_HOST": "0.0.0.0"}, "SMTP_ALLOW_PLAIN_AUTH=true"),
        ({"SMTP_HOST": "mail.example.com"}, "SMTP_ALLOW_PLAIN_AUTH=true"),
        ({"SITE_PASSWORD": "a\nb"}, "SITE_PASSWORD must be made of printable characters$"),
    ],
)
def test_invalid_settings(settings: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        read_settings(settings)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "::1"])
def test_loopback_needs_no_certificate(host: str) -> None:
    assert read_settings({"SMTP_HOST": host}).smtp_host == host


def test_the_env_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    assert read_env_file(file) == {}
    file.write_text("# comment\n\nexport A=1\nB = 'two words'\nC=\"x=y\"\nD=\n")
    assert read_env_file(file) == {"A": "1", "B": "two words", "C": "x=y", "D": ""}
    file.write_text("A=1\nnonsense\n")
    with pytest.raises(EnvFileError, match="line 2"):
        read_env_file(file)
