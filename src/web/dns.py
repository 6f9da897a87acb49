"""Look up DNS records by DNS over HTTPS, in the JSON form of 1.1.1.1.

https://developers.cloudflare.com/1.1.1.1/encryption/dns-over-https/make-api-requests/dns-json/
"""

from typing import Literal

import msgspec

from log import log
from web.context import RequestContext

_URL = "https://cloudflare-dns.com/dns-query"
_HEADERS = {"Accept": "application/dns-json"}
_TYPES = {"MX": 15, "TXT": 16}
_NO_ERROR, _NO_SUCH_NAME = 0, 3  # RFC 1035, section 4.1.1


class _Record(msgspec.Struct):
    type: int
    data: str


class _Result(msgspec.Struct):
    status: int = msgspec.field(name="Status")
    records: list[_Record] = msgspec.field(default=[], name="Answer")


_decode = msgspec.json.Decoder(_Result).decode


async def look_up(
    context: RequestContext, name: str, record_type: Literal["MX", "TXT"]
) -> list[str] | None:
    """The data of the records of ``name``, or None if the resolver gave no usable response.

    :param name: a domain name of letters, digits, hyphens, underscores and dots.
    """
    url = f"{_URL}?name={name}&type={record_type}"
    try:
        response = await context.services.fetch(url, _HEADERS, None)
        result = _decode(response.text)
    except Exception as error:  # no response in time, or the response can't be read
        log("dns_error", kind=type(error).__name__)
        return None
    if result.status not in (_NO_ERROR, _NO_SUCH_NAME):
        log("dns_error", status=result.status)
        return None
    # The other records are the aliases (CNAME) on the way.
    return [one.data for one in result.records if one.type == _TYPES[record_type]]
