"""The notifications of Home Assistant, sent by its own component with the settings of the docs.

Only Home Assistant itself is a stand-in: the component asks it which folders it may read.
"""

from pathlib import Path

import pytest

from tests.e2e.api import Api, Sender
from tests.e2e.sdk import run_python
from tests.smtp.mails import EVERY_BYTE, LOGO, left
from tests.smtp.relay import HOST, RelayProcess

pytestmark = pytest.mark.slow

PROGRAM = """
import os
from pathlib import Path
from types import SimpleNamespace
from homeassistant.components.smtp import notify

config = notify.PLATFORM_SCHEMA({
    "platform": "smtp",
    "server": os.environ["HOST"],
    "port": int(os.environ["PORT"]),
    "encryption": "starttls",
    "username": "jwt",
    "password": os.environ["JWT"],
    "sender": os.environ["SENDER"],
    "sender_name": "Zuhause",
    "recipient": ["one@example.net", "two@example.net"],
})
names = ["server", "port", "timeout", "sender", "encryption", "username", "password"]
names += ["recipient", "sender_name", "debug", "verify_ssl"]
service = notify.MailNotificationService(*map(config.get, names))
service.hass = SimpleNamespace(config=SimpleNamespace(is_allowed_path=lambda path: True))
assert service.connection_is_valid()

folder = Path(os.environ["FOLDER"])
files = [str(folder / name) for name in ("logo.png", "größe.bin")]
service.send_message("Tür offen", title="Größe")
service.send_message("Bilder", title="files", data={"images": files})
shown = '<img src="cid:logo.png">'
service.send_message("Bild", title="html", data={"html": shown, "images": files[:1]})
print("null")
"""


def test_home_assistant(
    relay: RelayProcess, api: Api, sender: Sender, certificate: Path, tmp_path: Path
) -> None:
    (tmp_path / "logo.png").write_bytes(LOGO)
    (tmp_path / "größe.bin").write_bytes(EVERY_BYTE)
    where = {"HOST": HOST, "PORT": str(relay.port), "FOLDER": str(tmp_path)}
    where["REQUESTS_CA_BUNDLE"] = str(certificate / "cert.pem")
    run_python("home-assistant", PROGRAM, JWT=sender.jwt, SENDER=sender.address, **where)
    plain, with_files, html = left(api, sender)
    assert (plain.form["subject"], (plain.text or "").rstrip()) == ("Größe", "Tür offen")
    assert plain.form["from"] == f'"Zuhause" <{sender.address}>'
    assert plain.form["to"] == ["one@example.net", "two@example.net"]
    assert plain.form["headers"]["X-Mailer"] == "Home Assistant"
    assert (with_files.text or "").rstrip() == "Bilder"
    files = [(name, content) for name, _, _, content in with_files.files]
    assert files == [("logo.png", LOGO), ("größe.bin", EVERY_BYTE)]
    assert '<img src="cid:logo.png">' in (html.html or "")
    ((_, kind, disposition, content),) = html.files
    assert (kind, disposition, content) == ("image/png", "inline", LOGO)
