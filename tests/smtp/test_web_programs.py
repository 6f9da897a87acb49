"""The mail of Rails, Symfony, Laravel, Nextcloud and WordPress, with their own mail classes.

The classes are those of Debian's packages. docs/smtp.md has the same settings. All use STARTTLS.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.api import Api, Sender
from tests.smtp.debian import Debian, debian_with
from tests.smtp.mails import Left, left
from tests.smtp.relay import HOST, RelayProcess

pytestmark = pytest.mark.slow

FROM = "from@shop.example"  # of the program, and not the address of the credential
TEXT, HTML = "Größe: 3", "<p>Größe: 3</p>"
EVERY_BYTE = bytes(range(256))
# As PHP writes the values of the settings of the tests.
PHP = """<?php
$text = 'Größe: 3';
$html = '<p>Größe: 3</p>';
$every_byte = implode('', array_map('chr', range(0, 255)));
[$host, $port, $jwt] = [getenv('HOST'), (int) getenv('PORT'), getenv('JWT')];
"""


class Programs:
    """Runs programs in ``debian`` that send mail to ``relay`` as ``sender``."""

    def __init__(self, debian: Debian, relay: RelayProcess, sender: Sender, cert: str) -> None:
        self._debian = debian
        self._debian.write("/tmp/cert.pem", cert)
        self._settings = {
            "HOST": HOST,
            "PORT": str(relay.port),
            "JWT": sender.jwt,
            "FROM": FROM,
            "SSL_CERT_FILE": "/tmp/cert.pem",
        }

    def run(self, interpreter: str, program: str) -> None:
        """Run ``program``, which must print ``sent``."""
        self._debian.write("/tmp/program", program)
        settings = (f"{name}={value}" for name, value in self._settings.items())
        done = self._debian.run("env", *settings, interpreter, "/tmp/program")
        assert done.stdout.strip().endswith(b"sent"), done.stdout.decode(errors="replace")


@pytest.fixture(scope="module")
def with_rails() -> Iterator[Debian]:
    with debian_with("ruby-actionmailer") as debian:
        yield debian


@pytest.fixture(scope="module")
def with_php() -> Iterator[Debian]:
    laravel = ("php-illuminate-mail", "php-illuminate-config", "php-illuminate-view")
    with debian_with("php-symfony-mailer", *laravel, "wordpress", "php-cli") as debian:
        yield debian


@pytest.fixture
def rails(with_rails: Debian, relay: RelayProcess, sender: Sender, certificate: Path) -> Programs:
    return Programs(with_rails, relay, sender, (certificate / "cert.pem").read_text())


@pytest.fixture
def php(with_php: Debian, relay: RelayProcess, sender: Sender, certificate: Path) -> Programs:
    return Programs(with_php, relay, sender, (certificate / "cert.pem").read_text())


def sentences(api: Api, sender: Sender) -> list[str]:
    """What the relay has changed in the only message of ``sender``."""
    (row,) = api.messages_of(sender)
    shown: list[str] = api.message(sender, row["id"])["adaptations"]
    return shown


def check_report(mail: Left) -> None:
    """Check the mail that all programs send."""
    assert mail.form["subject"] == "Grüße – 你好"
    assert mail.form["to"] == ['"Bób" <to@example.net>']
    assert mail.form["cc"] == ["cc@example.net"]
    assert mail.form["bcc"] == ["hidden@example.net"]
    assert ((mail.text or "").rstrip(), (mail.html or "").rstrip()) == (TEXT, HTML)
    name, _, disposition, content = mail.files[-1]
    assert (name, disposition, content) == ("größe 1.bin", "attachment", EVERY_BYTE)


RAILS = """
require "action_mailer"

ActionMailer::Base.smtp_settings = {
  address: ENV["HOST"], port: ENV["PORT"].to_i, user_name: "jwt", password: ENV["JWT"],
  authentication: :plain, enable_starttls: true
}
class Notifier < ActionMailer::Base
  default from: "Zoë <#{ENV["FROM"]}>"
  def report
    attachments["größe 1.bin"] = (0..255).to_a.pack("C*")
    names = {to: "Bób <to@example.net>", cc: "cc@example.net", bcc: "hidden@example.net"}
    mail(subject: "Grüße – 你好", **names) do |format|
      format.text { render plain: "Größe: 3" }
      format.html { render html: "<p>Größe: 3</p>".html_safe }
    end
  end
end
Notifier.report.deliver_now
print "sent"
"""


def test_rails(rails: Programs, api: Api, sender: Sender) -> None:
    rails.run("ruby", RAILS)
    (mail,) = left(api, sender)
    check_report(mail)
    assert mail.form["from"] == f'"Zoë" <{sender.address}>'
    assert mail.form["replyTo"] == f'"Zoë" <{FROM}>'
    # Rails gives each file a Content-ID.
    assert sentences(api, sender) == [
        "Content-ID of größe 1.bin left out: no HTML text shows the file"
    ]


RAILS_PICTURE = """
class Newsletter < Notifier
  def issue
    attachments.inline["logo.png"] = (0..255).to_a.pack("C*")
    mail(subject: "News", to: "to@example.net") do |format|
      format.html { render html: "<img src='#{attachments["logo.png"].url}'>".html_safe }
    end
  end
end
"""


def check_picture(api: Api, sender: Sender) -> None:
    """Check that the HTML text of the mail shows the picture."""
    (mail,) = left(api, sender)
    ((name, _, disposition, content),) = mail.files
    assert (name, disposition, content) == ("logo.png", "inline", EVERY_BYTE)
    (row,) = api.messages_of(sender)
    (file,) = api.message(sender, row["id"])["attachments"]
    assert f"cid:{file['content_id']}" in (mail.html or "")
    assert sentences(api, sender) == []


def test_rails_shows_a_picture(rails: Programs, api: Api, sender: Sender) -> None:
    program = RAILS.replace("Notifier.report", RAILS_PICTURE + "Newsletter.issue")
    rails.run("ruby", program)
    check_picture(api, sender)


# Nextcloud uses this class too, and so does Laravel since version 9.
SYMFONY = """
require 'Symfony/Component/Mailer/autoload.php';
use Symfony\\Component\\Mailer\\Mailer;
use Symfony\\Component\\Mailer\\Transport;
use Symfony\\Component\\Mailer\\Transport\\Smtp\\EsmtpTransport;
use Symfony\\Component\\Mime\\Address;
use Symfony\\Component\\Mime\\Email;

function report() {
    global $text, $html, $every_byte;
    return (new Email())->from(new Address(getenv('FROM'), 'Zoë'))
        ->to(new Address('to@example.net', 'Bób'))->cc('cc@example.net')->bcc('hidden@example.net')
        ->subject('Grüße – 你好')->text($text)->html($html)->attach($every_byte, 'größe 1.bin');
}
"""
BY_DSN = """
$mailer = new Mailer(Transport::fromDsn("smtp://jwt:$jwt@$host:$port"));
$mailer->send(report());
echo 'sent';
"""
# As lib/private/Mail/Mailer.php of Nextcloud does with the settings mail_smtphost, mail_smtpport,
# mail_smtpauth, mail_smtpname and mail_smtppassword.
AS_NEXTCLOUD = """
$transport = new EsmtpTransport($host, $port, null);
$transport->setUsername('jwt');
$transport->setPassword($jwt);
$mail = report();
$mail->getHeaders()->addTextHeader('Auto-Submitted', 'auto-generated');
(new Mailer($transport))->send($mail);
echo 'sent';
"""


@pytest.mark.parametrize("program", [BY_DSN, AS_NEXTCLOUD], ids=["symfony", "nextcloud"])
def test_symfony(php: Programs, api: Api, sender: Sender, program: str) -> None:
    php.run("php", PHP + SYMFONY + program)
    (mail,) = left(api, sender)
    check_report(mail)
    assert mail.form["replyTo"] == f'"Zoë" <{FROM}>'
    is_automatic = program == AS_NEXTCLOUD
    assert ("Auto-Submitted" in mail.form.get("headers", {})) is is_automatic
    assert sentences(api, sender) == []


PICTURE = """
$mailer = new Mailer(Transport::fromDsn("smtp://jwt:$jwt@$host:$port"));
$mailer->send((new Email())->from(getenv('FROM'))->to('to@example.net')->subject('News')
    ->html("<img src='cid:logo.png'>")->embed($every_byte, 'logo.png'));
echo 'sent';
"""


def test_symfony_shows_a_picture(php: Programs, api: Api, sender: Sender) -> None:
    php.run("php", PHP + SYMFONY + PICTURE)
    check_picture(api, sender)


LARAVEL = """
require 'Egulias/EmailValidator/autoload.php';
foreach (['Mail', 'Config', 'View', 'Events', 'Filesystem'] as $name) {
    require "Illuminate/$name/autoload.php";
}
use Illuminate\\Events\\Dispatcher;
use Illuminate\\Filesystem\\Filesystem;
use Illuminate\\Support\\HtmlString;
use Illuminate\\View;

$events = new Dispatcher();
$finder = new View\\FileViewFinder(new Filesystem(), []);
$app = new Illuminate\\Container\\Container();
$app->instance('events', $events);
$app->instance('view', new View\\Factory(new View\\Engines\\EngineResolver(), $finder, $events));
$app->instance('config', new Illuminate\\Config\\Repository(['mail' => [
    'default' => 'smtp',
    'mailers' => ['smtp' => [
        'transport' => 'smtp', 'host' => $host, 'port' => $port, 'encryption' => 'tls',
        'username' => 'jwt', 'password' => $jwt, 'timeout' => null, 'auth_mode' => null,
    ]],
    'from' => ['address' => getenv('FROM'), 'name' => 'Zoë'],
]]));
$texts = ['html' => new HtmlString($html), 'raw' => $text];
(new Illuminate\\Mail\\MailManager($app))->mailer()->send($texts, [], function ($mail) {
    global $every_byte;
    $mail->to('to@example.net', 'Bób')->cc('cc@example.net')->bcc('hidden@example.net')
        ->subject('Grüße – 你好')->attachData($every_byte, 'größe 1.bin');
});
echo 'sent';
"""


def test_laravel(php: Programs, api: Api, sender: Sender) -> None:
    """Laravel 8, which uses Swift Mailer."""
    php.run("php", PHP + LARAVEL)
    (mail,) = left(api, sender)
    check_report(mail)
    assert mail.form["replyTo"] == f'"Zoë" <{FROM}>'
    assert sentences(api, sender) == []


# WordPress without a database. Filters return the options that the mail needs.
NO_DATABASE = """<?php
class NoDatabase extends wpdb {
    public function __construct() { $this->set_prefix('wp_'); }
    public function query($query) { $this->last_result = []; return 0; }
    public function set_prefix($prefix, $set_table_names = true) { $this->prefix = $prefix; }
    public function _real_escape($data) { return addslashes($data); }
}
$wpdb = new NoDatabase();
"""
WORDPRESS = """
define('WP_INSTALLING', true);
define('ABSPATH', '/usr/share/wordpress/');
define('WP_CONTENT_DIR', '/var/lib/wordpress/wp-content');
$table_prefix = 'wp_';
$_SERVER['HTTP_HOST'] = 'shop.example';
require ABSPATH . 'wp-settings.php';
add_filter('pre_option_blog_charset', fn () => 'UTF-8');
add_filter('pre_option_home', fn () => 'https://shop.example');
add_action('phpmailer_init', function ($mailer) {
    global $host, $port, $jwt, $text;
    $mailer->isSMTP();
    $mailer->Host = $host;
    $mailer->Port = $port;
    $mailer->SMTPAuth = true;
    $mailer->SMTPSecure = 'tls';
    $mailer->Username = 'jwt';
    $mailer->Password = $jwt;
    $mailer->AltBody = $text;
});
add_action('wp_mail_failed', function ($error) { echo $error->get_error_message(); });
file_put_contents('/tmp/größe 1.bin', $every_byte);
$headers = ['Content-Type: text/html; charset=UTF-8', 'Cc: cc@example.net'];
$headers[] = 'Bcc: hidden@example.net';
$subject = 'Grüße – 你好';
echo wp_mail('Bób <to@example.net>', $subject, $html, $headers, ['/tmp/größe 1.bin'])
    ? 'sent' : 'failed';
"""


def test_wordpress(php: Programs, with_php: Debian, api: Api, sender: Sender) -> None:
    with_php.write("/var/lib/wordpress/wp-content/db.php", NO_DATABASE)
    php.run("php", PHP + WORDPRESS)
    (mail,) = left(api, sender)
    check_report(mail)
    # The default of WordPress.
    assert mail.form["from"] == f'"WordPress" <{sender.address}>'
    assert mail.form["replyTo"] == '"WordPress" <wordpress@shop.example>'
    assert sentences(api, sender) == []
