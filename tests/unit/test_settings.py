"""The variables of a deployment: every accepted form, and errors that name the variable."""

import re
from typing import Any

import pytest

from accounts.names import ROLE_NAMES
from accounts.sending_limits import RateLimit
from errors import ServerFault
from settings import DECLARED, Settings, doubtful_settings, read_settings
from tools.settings_table import DOCUMENT, updated
from web.auth import is_one_of
from web.responses import error_response

TEXTS = [
    *("JWT_SECRET", "PASSWORD_PEPPER", "TITLE"),
    *("CF_TURNSTILE_SITE_KEY", "CF_TURNSTILE_SECRET_KEY"),
    *("WEBHOOK_SECRET", "RESEND_TOKEN"),
]
LISTS = ["JWT_SECRET_PREVIOUS", "ADMIN_PASSWORDS", "PASSWORDS"]
DOMAINS = ["DOMAINS", "DEFAULT_DOMAINS", "SEND_MAIL_DOMAINS"]
BOOLEANS = [
    *("DISABLE_ADMIN_PASSWORD_CHECK", "CREATE_ADDRESS_DEFAULT_DOMAIN_FIRST"),
    *("ENABLE_USER_CREATE_EMAIL", "DISABLE_ANONYMOUS_USER_CREATE_EMAIL"),
    *("DISABLE_CUSTOM_ADDRESS_NAME", "ENABLE_USER_DELETE_EMAIL", "ENABLE_ADDRESS_PASSWORD"),
    *("SENDING_PAUSED", "ENABLE_LOCAL_WEBHOOKS"),
]
LENGTHS = ["MIN_ADDRESS_LEN", "MAX_ADDRESS_LEN"]
TIMES = ["RETRY_HOURS", "RETENTION_DAYS", "RETENTION_METADATA_DAYS", "CREDENTIAL_TTL_DAYS"]
COUNTS = [
    *("DEFAULT_SEND_BALANCE", "MAX_ADDRESSES_PER_CLIENT_PER_DAY"),
    *("MAX_CREDENTIAL_CHANGES_PER_DAY", "MAX_WEBHOOK_CALLS_PER_DAY"),
    *("MAX_SANDBOX_RECIPIENTS_PER_DAY", "MAX_SANDBOX_BYTES_PER_DAY", "MAX_WITHDRAWALS_PER_DAY"),
]
PAUSES = ["PAUSE_FAILED_PERCENT", "PAUSE_LAST_MESSAGES"]
AT_LEAST_1 = ["BATCH_INLINE"]
NUMBERS = [*LENGTHS, *AT_LEAST_1, *COUNTS, *PAUSES, *TIMES]
MOST = 999_999_999_999_999
PATTERNS = ["ADDRESS_REGEX", "ADDRESS_CHECK_REGEX"]
OTHERS = [
    *("PREFIX", "DEFAULT_LANG", "ERROR_FORMAT", "SEND_RATE_LIMIT", "SMTP_IMAP_PROXY_CONFIG"),
    *("CF_TURNSTILE_VERIFY_URL", "SUBREQUESTS"),
    *("TRANSPORTS", "ROUTES", "TRANSPORT_SECRETS", "SMTP_CONFIG"),
]
ALL = [*TEXTS, *LISTS, *DOMAINS, *BOOLEANS, *NUMBERS, *PATTERNS, *OTHERS]


def read(name: str, value: object) -> Any:
    return getattr(read_settings({name: value}), name.lower())


def unreadable(name: str, value: object) -> str:
    """The text after "it must be" in the error for ``value``."""
    with pytest.raises(ServerFault) as caught:
        read_settings({name: value})
    error = caught.value
    assert error.code == "invalid_setting"
    assert error.values["name"] == name
    response = error_response(error, request_id="r", language="en", plain=True)
    sentence = response.body.decode()
    assert sentence.startswith(f"The variable {name} can't be read: it must be ")
    return sentence.partition("it must be ")[2]


def test_every_setting_is_in_the_lists_of_this_file() -> None:
    assert {field.name.upper() for field in DECLARED} == set(ALL)


def test_the_tables_of_the_documentation_are_up_to_date() -> None:
    document = DOCUMENT.read_text("utf-8")
    assert document == updated(document), "run `make settings-table`"


def test_every_setting_is_in_one_table_of_the_documentation() -> None:
    rows = re.findall(r"(?m)^\| `([A-Z_]+)` \|", DOCUMENT.read_text("utf-8"))
    bindings = {"DB", "OUTBOX", "EVENTS", "WEBHOOKS", "SEND_MAIL", "RATE_LIMITER", "ASSETS"}
    assert sorted(name for name in rows if name not in bindings) == sorted(ALL)


def test_every_setting_has_a_help_text_of_one_line() -> None:
    for field in DECLARED:
        assert re.fullmatch(r"[A-Z`\[][^|\n]+\.", field.metadata["help"]), field.name


def test_settings_without_values_have_the_defaults() -> None:
    assert Settings() == read_settings({})


def test_the_defaults() -> None:
    assert read_settings({}) == Settings(
        jwt_secret=None,
        jwt_secret_previous=(),
        credential_ttl_days=0,
        admin_passwords=(),
        disable_admin_password_check=False,
        passwords=(),
        password_pepper=None,
        default_lang="en",
        title="Send Mail API",
        domains=(),
        default_domains=(),
        create_address_default_domain_first=False,
        prefix="",
        address_regex=re.compile("[^a-z0-9]"),
        address_check_regex=None,
        min_address_len=1,
        max_address_len=30,
        enable_user_create_email=False,
        disable_anonymous_user_create_email=False,
        disable_custom_address_name=False,
        enable_user_delete_email=False,
        enable_address_password=False,
        max_addresses_per_client_per_day=0,
        default_send_balance=0,
        send_mail_domains=(),
        send_rate_limit=None,
        subrequests=50,
        batch_inline=25,
        pause_failed_percent=50,
        pause_last_messages=50,
        sending_paused=False,
        webhook_secret=None,
        enable_local_webhooks=False,
        retry_hours=72,
        retention_days=30,
        retention_metadata_days=90,
        cf_turnstile_site_key=None,
        cf_turnstile_secret_key=None,
        cf_turnstile_verify_url="https://challenges.cloudflare.com/turnstile/v0/siteverify",
        smtp_imap_proxy_config={},
    )


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("nothing", ["", None])
def test_an_empty_variable_is_a_missing_one(name: str, nothing: str | None) -> None:
    assert read_settings({name: nothing}) == read_settings({})


def test_unknown_variables_are_ignored() -> None:
    assert read_settings({"SOMETHING": object()}) == read_settings({})


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_not_changed(name: str) -> None:
    assert read(name, " a, b ") == " a, b "


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("value", [7, 1.5, True, ["a"], {"a": 1}])
def test_a_text_must_be_a_string(name: str, value: object) -> None:
    assert unreadable(name, value) == "a text"


@pytest.mark.contract("variables: Lists, numbers and switches are read in every documented form")
@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("value", "entries"),
    [
        (["a", "b"], ("a", "b")),
        ([], ()),
        ('["a", "b"]', ("a", "b")),
        (' ["a, b"] ', ("a, b",)),
        ("[]", ()),
        ("a,b", ("a", "b")),
        (" a , b ", ("a", "b")),
        ("a", ("a",)),
        ("a,,b,", ("a", "b")),
        (["a", ""], ("a",)),
        ("a b", ("a b",)),
        ("ü,名", ("ü", "名")),
    ],
)
def test_a_list_is_an_array_or_json_or_words_with_commas(
    name: str, value: object, entries: tuple[str, ...]
) -> None:
    assert read(name, value) == entries


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "value", ['["a"', "[a]", "[1]", [1], ["a", None], {"a": "b"}, 7, True, "[" * 100_000]
)
def test_a_list_must_have_a_known_form(name: str, value: object) -> None:
    assert unreadable(name, value).startswith("a list")


@pytest.mark.parametrize("name", ["ADMIN_PASSWORDS", "PASSWORDS"])
def test_a_password_is_not_longer_than_those_that_are_compared(name: str) -> None:
    (password,) = read(name, ["x" * 4096])
    assert is_one_of(password, (password,))
    assert "4096 characters" in unreadable(name, ["short", "x" * 4097])


@pytest.mark.parametrize("name", DOMAINS)
@pytest.mark.parametrize(
    ("value", "domains"),
    [
        (["Example.COM", " b.example "], ("example.com", "b.example")),
        ('["example.com"]', ("example.com",)),
        ("example.com, bücher.example", ("example.com", "xn--bcher-kva.example")),
    ],
)
def test_domains_are_lists_in_lower_case_a_labels(
    name: str, value: object, domains: tuple[str, ...]
) -> None:
    assert read(name, value) == domains


@pytest.mark.parametrize("name", DOMAINS)
@pytest.mark.parametrize(
    "value", ["localhost", "@example.com", "a@example.com", "exa mple.com", ["-a.example"], [1], 7]
)
def test_a_domain_must_be_valid(name: str, value: object) -> None:
    assert unreadable(name, value).startswith("a list of ")


@pytest.mark.contract("variables: Lists, numbers and switches are read in every documented form")
@pytest.mark.parametrize("name", BOOLEANS)
@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        *((True, True), ("true", True), ("True", True), (" TRUE ", True)),
        *((False, False), ("false", False), ("FALSE", False)),
    ],
)
def test_a_switch_is_true_or_false(name: str, value: object, meaning: bool) -> None:
    assert read(name, value) is meaning


@pytest.mark.parametrize("name", BOOLEANS)
@pytest.mark.parametrize("value", [1, 0, "1", "0", "yes", "no", "on", "t", " ", [], [True], 1.0])
def test_a_switch_has_no_other_value(name: str, value: object) -> None:
    assert unreadable(name, value) == "true or false"


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [12, "12", " 12 ", 12.0, "012"])
def test_a_number_is_an_integer(name: str, value: object) -> None:
    number = read(name, value)
    assert (number, type(number)) == (12, int)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "value",
    [
        *(-1, "-1", "+1", "1.5", 1.5, "1e3", "ten", "٣", "²", " ", True, False, [1], {"a": 1}),
        *(2**53 + 1, "9" * 16, "9" * 5000, float("inf"), float("nan")),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_number_must_be_an_integer(name: str, value: object) -> None:
    assert unreadable(name, value).startswith("a whole number, at least ")


@pytest.mark.parametrize("name", [one for one in NUMBERS if one != "PAUSE_FAILED_PERCENT"])
def test_the_largest_number(name: str) -> None:
    assert read(name, MOST) == read(name, str(MOST)) == MOST
    for value in (MOST + 1, str(MOST + 1)):
        assert unreadable(name, value).endswith(f" and at most {MOST}")


@pytest.mark.parametrize("name", [*COUNTS, *TIMES])
@pytest.mark.parametrize("value", [0, "0"])
def test_a_balance_and_a_time_may_be_0(name: str, value: object) -> None:
    assert read(name, value) == 0
    assert unreadable(name, -1) == f"a whole number, at least 0 and at most {MOST}"


@pytest.mark.parametrize("name", [*LENGTHS, *AT_LEAST_1])
@pytest.mark.parametrize("value", [0, "0"])
def test_a_length_may_not_be_0(name: str, value: object) -> None:
    assert unreadable(name, value) == f"a whole number, at least 1 and at most {MOST}"


@pytest.mark.parametrize("value", [50, "50", 10_000, "10000"])
def test_subrequests_are_those_of_a_plan(value: object) -> None:
    assert read("SUBREQUESTS", value) == int(str(value))
    assert unreadable("SUBREQUESTS", 49) == f"a whole number, at least 50 and at most {MOST}"


def test_the_maximum_length_is_not_below_the_minimum() -> None:
    with pytest.raises(ServerFault) as caught:
        read_settings({"MIN_ADDRESS_LEN": 5, "MAX_ADDRESS_LEN": 4})
    assert caught.value.values == {
        "name": "MAX_ADDRESS_LEN",
        "expected": f"a whole number, at least 5 and at most {MOST}",
    }
    both = read_settings({"MIN_ADDRESS_LEN": 5, "MAX_ADDRESS_LEN": 5})
    assert (both.min_address_len, both.max_address_len) == (5, 5)


def test_a_long_minimum_moves_the_default_maximum() -> None:
    assert read_settings({"MIN_ADDRESS_LEN": 40}).max_address_len == 40


@pytest.mark.parametrize(
    ("value", "limit"),
    [
        ("100/minute", (100, 60)),
        ("1/second", (1, 1)),
        ("1/s", (1, 1)),
        ("5/10s", (5, 10)),
        ("5/10 second", (5, 10)),
        (" 20 / hour ", (20, 3600)),
        ("20/2h", (20, 7200)),
        ("1000/day", (1000, 86_400)),
        ("1000/31 DAY", (1000, 31 * 86_400)),
    ],
)
def test_a_rate_limit_is_a_number_and_a_period(value: str, limit: tuple[int, int]) -> None:
    assert read("SEND_RATE_LIMIT", value) == RateLimit(*limit)


@pytest.mark.parametrize(
    "value",
    [
        *("100", "100/", "/minute", "0/minute", "-1/minute", "1.5/minute", "100/fortnight"),
        *(
            "100/0s",
            "100/32 days",
            "100/32d",
            "1/" + "9" * 5000 + "s",
            "9" * 5000 + "/s",
            "٣/minute",
        ),
        *(100, True, ["100/minute"], {"limit": 100}),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_rate_limit_must_be_valid(value: object) -> None:
    expected = unreadable("SEND_RATE_LIMIT", value)
    assert expected == "a text" or expected.startswith("a number and a period up to 31 days")


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("value", ["/[^a-z]/g", "/^a/", "//"])
def test_a_pattern_has_no_slashes_around_it(name: str, value: str) -> None:
    assert "without slashes around it" in unreadable(name, value)


def test_a_percentage_is_at_most_100() -> None:
    assert read("PAUSE_FAILED_PERCENT", "100") == 100
    assert unreadable("PAUSE_FAILED_PERCENT", "101") == "a whole number, at least 0 and at most 100"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, None),
        ({"DOMAINS": "a.example"}, None),
        ({"DOMAINS": "a.example", "DEFAULT_DOMAINS": "a.example"}, None),
        ({"DOMAINS": "a.example", "DEFAULT_DOMAINS": "a.example,b.example"}, "contains b.example"),
        ({"JWT_SECRET": "x" * 31}, "JWT_SECRET or JWT_SECRET_PREVIOUS is shorter"),
        ({"JWT_SECRET": "x" * 32}, None),
        ({"CF_TURNSTILE_SITE_KEY": "1"}, "CF_TURNSTILE_SECRET_KEY"),
        ({"CF_TURNSTILE_SECRET_KEY": "1"}, "CF_TURNSTILE_SITE_KEY"),
        ({"CF_TURNSTILE_SECRET_KEY": "1", "CF_TURNSTILE_SITE_KEY": "1"}, None),
    ],
)
def test_doubtful_settings(variables: dict[str, str], words: str | None) -> None:
    found = list(doubtful_settings(read_settings(variables)))
    assert len(found) == (words is not None)
    assert words is None or words in found[0]


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_compiled(name: str) -> None:
    assert read(name, "^[a-z]+$") == re.compile("^[a-z]+$")


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize(
    "value", ["[", "(", "a**", "\\", "(?<=a+)b", "a{9999999999999999999}", "(" * 5000, 7, ["a"]]
)
def test_a_pattern_must_be_a_regular_expression(name: str, value: object) -> None:
    assert unreadable(name, value) in {"a regular expression", "a text"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_language_is_a_known_one(language: str) -> None:
    assert read("DEFAULT_LANG", language) == language


@pytest.mark.parametrize("value", ["de", "EN", "en-US", 7, True, ["en"]])
def test_another_language_is_unreadable(value: object) -> None:
    assert unreadable("DEFAULT_LANG", value) == "one of en, zh"


@pytest.mark.contract("address names: The prefix is prepended in lower case")
def test_the_prefix_is_trimmed_and_lowered() -> None:
    assert read("PREFIX", " Tmp. ") == "tmp."


@pytest.mark.parametrize("prefix", ["a", "9", "tmp-", "a.b_c+d", "a" * 32])
def test_a_prefix_begins_an_address(prefix: str) -> None:
    assert read("PREFIX", prefix) == prefix


@pytest.mark.parametrize("value", [" ", ".a", "-a", "_", "a b", "a@b", "ü", "a" * 33, "a\n.b", 7])
def test_a_prefix_must_begin_a_valid_address(value: object) -> None:
    expected = "1 to 32 letters, digits or . _ + -, beginning with a letter or digit"
    assert unreadable("PREFIX", value) in {expected, "a text"}


@pytest.mark.parametrize("url", ["https://a.example/verify", "http://localhost:1/"])
def test_a_url_is_one_of_http(url: str) -> None:
    assert read("CF_TURNSTILE_VERIFY_URL", f" {url} ") == url


@pytest.mark.parametrize("value", ["a.example", "ftp://a.example", "https://", "http://a b", 7])
def test_a_url_must_be_valid(value: object) -> None:
    expected = {"an address that begins with https:// or http://", "a text"}
    assert unreadable("CF_TURNSTILE_VERIFY_URL", value) in expected


@pytest.mark.parametrize("name", [*LISTS, *DOMAINS])
@pytest.mark.parametrize("value", [" ", ",", " , ,"])
def test_an_empty_list_is_unreadable(name: str, value: str) -> None:
    # A password list without passwords would let every client in.
    assert unreadable(name, value).startswith("a list ")


@pytest.mark.parametrize(
    "value",
    [
        {"smtp": {"host": "a", "port": 25, "starttls": True}},
        '{"smtp": {"host": "a", "port": 25, "starttls": true}}',
    ],
)
def test_the_proxy_is_a_table_or_a_json_object(value: object) -> None:
    assert read("SMTP_IMAP_PROXY_CONFIG", value) == {
        "smtp": {"host": "a", "port": 25, "starttls": True}
    }


@pytest.mark.parametrize("value", ["smtp", "[]", "7", '"a"', [], 7, True, "{", '{"a":' * 100_000])
def test_the_proxy_must_be_an_object(value: object) -> None:
    assert unreadable("SMTP_IMAP_PROXY_CONFIG", value) == "a JSON object"


@pytest.mark.parametrize(
    "smtp",
    [
        *(5, None, {}, {"host": "a"}, {"host": 5, "port": 25}, {"host": "a", "port": "25"}),
        *({"host": "a", "port": port} for port in (0, 65_536, True, 25.5)),
        {"host": "a", "port": 25, "starttls": "yes"},
    ],
)
def test_the_proxy_must_have_a_host_and_a_port(smtp: object) -> None:
    assert unreadable("SMTP_IMAP_PROXY_CONFIG", {"smtp": smtp}).startswith("a JSON object like ")


@pytest.mark.contract("errors: Errors and logs contain no secrets or internal details")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, ["TOP-SECRET"]) for name in TEXTS),
        *((name, "[TOP-SECRET") for name in LISTS),
        *((name, "TOP-SECRET") for name in [*DOMAINS, *BOOLEANS, *NUMBERS, *OTHERS[1:]]),
        *((name, "(TOP-SECRET") for name in PATTERNS),
        ("PREFIX", ["TOP-SECRET"]),
    ],
)
@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_unreadable_value_is_never_shown(
    name: str, value: object, plain: bool, language: str
) -> None:
    with pytest.raises(ServerFault) as caught:
        read_settings({name: value})
    response = error_response(caught.value, request_id="r", language=language, plain=plain)
    assert name in response.body.decode()
    assert "TOP-SECRET" not in response.body.decode()
    assert "TOP-SECRET" not in str(caught.value)


@pytest.mark.contract("credential: JWT_SECRET_PREVIOUS verifies credentials and never signs them")
def test_the_signing_secret_is_the_first_verifying_secret() -> None:
    settings = read_settings({"JWT_SECRET": "new", "JWT_SECRET_PREVIOUS": "old,older"})
    assert settings.jwt_secrets == ("new", "old", "older")


def test_previous_secrets_alone_verify_nothing() -> None:
    assert read_settings({"JWT_SECRET_PREVIOUS": "old"}).jwt_secrets == ()


@pytest.mark.contract(
    "address names: The domain matches in any case; the default is a random or the first domain"
)
def test_addresses_are_made_in_the_default_domains_or_else_in_all() -> None:
    both = read_settings({"DOMAINS": "a.example,b.example", "DEFAULT_DOMAINS": "b.example"})
    assert both.creation_domains == ("b.example",)
    assert read_settings({"DOMAINS": "a.example,b.example"}).creation_domains == (
        "a.example",
        "b.example",
    )


def test_the_public_is_bound_by_every_rule_for_names() -> None:
    rules = read_settings(
        {
            "ADDRESS_REGEX": "[^a-z]",
            "ADDRESS_CHECK_REGEX": "^a",
            "MIN_ADDRESS_LEN": 2,
            "MAX_ADDRESS_LEN": 9,
            "PREFIX": "tmp",
        }
    ).public_name_rules
    assert (rules.removed, rules.required) == (re.compile("[^a-z]"), re.compile("^a"))
    assert (rules.min_length, rules.max_length, rules.prefix) == (2, 9, "tmp")
    assert rules.reserved == ROLE_NAMES


@pytest.mark.contract("POST /admin/new_address: Accepts names of 1 to 30 characters")
def test_administrators_are_bound_by_1_to_30_characters_alone() -> None:
    settings = read_settings(
        {"ADDRESS_CHECK_REGEX": "^a", "MIN_ADDRESS_LEN": 2, "MAX_ADDRESS_LEN": 9, "PREFIX": "tmp"}
    )
    rules = settings.admin_name_rules(with_prefix=False)
    assert (rules.removed, rules.required, rules.reserved) == (None, None, frozenset())
    assert (rules.min_length, rules.max_length, rules.prefix) == (1, 30, "")
    assert settings.admin_name_rules(with_prefix=True).prefix == "tmp"


def test_the_secrets_of_webhooks_are_their_own_or_those_of_credentials() -> None:
    jwt = {"JWT_SECRET": "new", "JWT_SECRET_PREVIOUS": "old,older"}
    assert read_settings(jwt).webhook_secrets == ("new", "old", "older")
    own = read_settings({**jwt, "WEBHOOK_SECRET": "own"})
    assert own.webhook_secrets == ("own", "old", "older")
    assert read_settings({"JWT_SECRET_PREVIOUS": "old"}).webhook_secrets == ()
