"""What the mail provider takes, from the limits page of Cloudflare Email Service.

The local ``send_email`` binding enforces none of this, and production refuses only after the
call, so it is checked before anything is stored.
"""

from mail.message import Attachment, Message

MAX_RECIPIENTS = 50  # to, cc and bcc together
MAX_SUBJECT_CHARACTERS = 998
MAX_MESSAGE_BYTES = 5 * 1024 * 1024  # after MIME encoding

_LINE = 76  # characters of base64 in a line (RFC 2045, section 6.8), CR LF not counted
_HEADERS_OF_A_MESSAGE = 1024  # Date, Message-ID, MIME-Version, signature: made by the provider
_HEADERS_OF_A_PART = 256  # boundary, Content-Type, Content-Transfer-Encoding


def encoded_size(message: Message) -> int:
    """The most bytes that ``message`` can have after MIME encoding, computed without building it.

    Every body is taken as base64, the larger of the usual encodings for anything but plain
    ASCII: the provider chooses, and a message must fit whatever it chooses.
    """
    headers = _HEADERS_OF_A_MESSAGE + _header_size(message.subject)
    headers += _mailbox_size(message.sender_name, str(message.sender))
    headers += sum(
        _mailbox_size(recipient.name, str(recipient.address)) for recipient in message.recipients
    )
    if message.reply_to:
        headers += len("Reply-To: ")
        headers += _mailbox_size(message.reply_to.name, str(message.reply_to.address))
    headers += sum(
        len(header.name) + len(": \r\n") + _header_size(header.value) for header in message.headers
    )
    bodies = [body for body in (message.text, message.html) if body is not None]
    parts = sum(_HEADERS_OF_A_PART + _body_size(body) for body in bodies)
    if message.attachments:
        parts += 2 * _HEADERS_OF_A_PART  # multipart/mixed and multipart/related
        parts += sum(map(_attachment_size, message.attachments))
    return headers + parts


def _mailbox_size(name: str | None, address: str) -> int:
    return _header_size(name or "") + len(address) + len(" <>, \r\n")


def _header_size(text: str) -> int:
    size = _utf8_size(text)
    # Plain text is folded; anything else becomes encoded words (RFC 2047, section 2), a dozen
    # characters around each, with no character cut in two.
    return size + 3 * (size // 20 + 1) if text.isascii() else 5 * size + 100


def _attachment_size(attachment: Attachment) -> int:
    # The name stands in two fields, cut into pieces and percent-encoded (RFC 2231, section 4.1).
    names = 2 * (5 * _utf8_size(attachment.filename) + 100)
    others = _header_size(attachment.content_type) + _header_size(attachment.content_id or "")
    return _HEADERS_OF_A_PART + names + others + _base64_size(len(attachment.content))


def _body_size(text: str) -> int:
    # Line ends are CR LF before they are encoded (RFC 2045, section 6.8).
    line_ends = text.count("\n") + text.count("\r") - 2 * text.count("\r\n")
    return _base64_size(_utf8_size(text) + line_ends + 2)


def _base64_size(size: int) -> int:
    characters = (size + 2) // 3 * 4
    return characters + 2 * -(-characters // _LINE)


def _utf8_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
