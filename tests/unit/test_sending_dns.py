"""The DNS records of a sending domain: which are right, and what is wrong with the others."""

import pytest

from mail.sending_dns import (
    dkim_record,
    dmarc_names,
    dmarc_record,
    mx_record,
    spf_record,
    text_of,
)

SPF = "v=spf1 include:_spf.mx.cloudflare.net ~all"


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (None, "unknown"),
        ([], "missing"),
        (["google-site-verification=1"], "missing"),
        (["v=spf10 include:_spf.mx.cloudflare.net"], "missing"),
        ([SPF], "ok"),
        ([SPF.upper()], "ok"),
        (["other", "v=spf1 include:a.example include:_spf.mx.cloudflare.net -all"], "ok"),
        (["v=spf1 +include:_spf.mx.cloudflare.net ~all"], "ok"),
        (["v=spf1 include:_spf.mx.cloudflare.net. ?all "], "ok"),
        (["v=spf1 include:_spf.mx.cloudflare.net redirect=a.example"], "ok"),
        (["v=spf1; include:_spf.mx.cloudflare.net ~all"], "missing"),
        (["v=spf1 -all include:_spf.mx.cloudflare.net"], "wrong"),  # nothing counts after `all`
        (["v=spf1 -include:_spf.mx.cloudflare.net ~all"], "wrong"),
        (["v=spf1 include:_spf.mx.cloudflare.net +all"], "wrong"),  # every server may send
        (["v=spf1 include:_spf.mx.cloudflare.net all"], "wrong"),
        (["v=spf1 -all"], "wrong"),
        (["v=spf1 include:_spf.mx.cloudflare.net.evil.example ~all"], "wrong"),
        ([SPF, "v=spf1 -all"], "wrong"),  # several records are an error (RFC 7208, section 4.5)
    ],
)
def test_spf(found: list[str] | None, state: str) -> None:
    assert spf_record("example.com", found).state == state


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (None, "unknown"),
        ([], "missing"),
        (["hello"], "missing"),
        (["v=DKIM1; k=rsa; p=MIIB"], "ok"),
        (["p=MIIB"], "ok"),
        (["v=DKIM1; p="], "wrong"),
        (["v=DKIM1; p= ;"], "wrong"),
    ],
)
def test_dkim(found: list[str] | None, state: str) -> None:
    assert dkim_record("example.com", found).state == state


@pytest.mark.parametrize(
    ("found", "state", "policy"),
    [
        (None, "unknown", None),
        ([], "missing", None),
        (["v=spf1 -all"], "missing", None),
        (["v=DMARC1; p=reject;"], "ok", "reject"),
        (["v=DMARC1;p=Quarantine"], "ok", "quarantine"),
        (["v=DMARC1; p=none; sp=reject"], "weak", "none"),
        (["v = DMARC1; p=reject"], "ok", "reject"),
        (["v\t=\tDMARC1 ;p = reject"], "ok", "reject"),
        (["p=reject; v=DMARC1"], "missing", None),
        (["v=dmarc1; p=reject"], "missing", None),
        (["v=DMARC12; p=reject"], "missing", None),
        (["v=DMARC1; p=reject; pct=0"], "weak", "reject"),
        (["v=DMARC1; p=quarantine; pct=99"], "weak", "quarantine"),
        (["v=DMARC1; p=reject; t=y"], "weak", "reject"),
        (["v=DMARC1; p=reject; pct=100; t=n"], "ok", "reject"),
        (["v=DMARC1; p=reject; pct=many"], "ok", "reject"),  # receivers ignore an invalid tag
        (["v=DMARC1"], "wrong", None),
        (["v=DMARC1; p=refuse"], "wrong", "refuse"),
        (["v=DMARC1; p=reject", "v=DMARC1; p=none"], "wrong", None),
    ],
)
def test_dmarc(found: list[str] | None, state: str, policy: str | None) -> None:
    record = dmarc_record("example.com", "_dmarc.example.com", found)
    assert (record.state, record.policy) == (state, policy)


def test_the_dmarc_record_of_a_parent_may_have_a_policy_for_subdomains() -> None:
    found = ["v=DMARC1; p=none; sp=reject"]
    assert dmarc_record("a.example.com", "_dmarc.example.com", found).policy == "reject"
    assert dmarc_record("a.example.com", "_dmarc.example.com", found[:0]).name == (
        "_dmarc.a.example.com"
    )


def test_dmarc_is_looked_up_at_few_names() -> None:
    assert dmarc_names("example.com") == ["_dmarc.example.com"]
    assert dmarc_names("a.example.com") == ["_dmarc.a.example.com", "_dmarc.example.com"]
    assert dmarc_names("a.b.c.d.e.f.g") == [
        "_dmarc.a.b.c.d.e.f.g",
        "_dmarc.d.e.f.g",
        "_dmarc.e.f.g",
        "_dmarc.f.g",
    ]


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (None, "unknown"),
        ([], "missing"),
        (["10 route1.mx.cloudflare.net."], "ok"),
        (["10 ROUTE1.MX.Cloudflare.net"], "ok"),
        (["10 mail.example.com."], "wrong"),
        (["10 route1.mx.cloudflare.net.", "20 mail.example.com."], "wrong"),
        (["0 ."], "wrong"),  # no mail is accepted (RFC 7505)
    ],
)
def test_mx(found: list[str] | None, state: str) -> None:
    assert mx_record("example.com", found).state == state


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ('"v=spf1 -all"', "v=spf1 -all"),
        ('"v=DKIM1; p=MI" "IB"', "v=DKIM1; p=MIIB"),
        (r'"a\"b\\"', 'a"b\\'),
        ("without quotes", "without quotes"),
        ('""', ""),
    ],
)
def test_the_strings_of_a_record_are_joined(data: str, text: str) -> None:
    assert text_of(data) == text


def test_only_few_short_records_are_shown() -> None:
    record = spf_record("example.com", ["v=spf1 " + "a" * 1000] * 20)
    assert [len(text) for text in record.found] == [600] * 10
