"""The limits of the mail provider, from the limits page of Cloudflare Email Service.

The local ``send_email`` binding enforces none of these limits. In production the provider reports a
violation only when it is called. So the limits are checked before a message is stored.
"""

from mail.message import Attachment, Message

MAX_RECIPIENTS = 50  # to, cc and bcc together
MAX_SUBJECT_CHARACTERS = 998
MAX_MESSAGE_BYTES = 5 * 1024 * 1024  # after MIME encoding

_PIECE_CHARACTERS = 65_536
_LINE = 76  # base64 characters per line, without CR LF (RFC 2045, section 6.8)
# In bytes. For field names, Date, Message-ID, MIME-Version and signature:
_HEADERS_OF_A_MESSAGE = 1024
# For boundary, Content-Type and Content-Transfer-Encoding:
_HEADERS_OF_A_PART = 256


def encoded_size(message: Message) -> int:
    """An upper bound of the size of ``message`` after MIME encoding, in bytes.

    Each body is counted as base64. The provider chooses the encoding; this function assumes that
    it chooses another one only if the body is then shorter.
    """
    headers = _HEADERS_OF_A_MESSAGE + _header_size(message.subject)
    headers += sum(
        _mailbox_size(mailbox.name, str(mailbox.address)) for mailbox in message.mailboxes
    )
    headers += len("Reply-To: ") if message.reply_to else 0
    headers += sum(
        len(header.name) + len(": \r\n") + _header_size(header.value) for header in message.headers
    )
    parts = sum(body_size(body) for _, body in message.bodies)
    if message.attachments:
        parts += 2 * _HEADERS_OF_A_PART  # multipart/mixed and multipart/related
        parts += sum(map(_attachment_size, message.attachments))
    return headers + parts


def body_size(text: str) -> int:
    """The part of ``encoded_size`` that is due to one body."""
    # Line ends become CR LF before the encoding (RFC 2045, section 6.8).
    line_ends = text.count("\n") + text.count("\r") - 2 * text.count("\r\n")
    return _HEADERS_OF_A_PART + _base64_size(_utf8_size(text) + line_ends + 2)


def _mailbox_size(name: str | None, address: str) -> int:
    return _header_size(name or "") + len(address) + len(" <>, \r\n")


def _header_size(text: str) -> int:
    size = _utf8_size(text)
    # ASCII is folded. Other text becomes encoded words (RFC 2047, section 2), each with a dozen
    # additional characters. No character is split between two encoded words.
    return size + 3 * (size // 20 + 1) if text.isascii() else 5 * size + 100


def _attachment_size(attachment: Attachment) -> int:
    # Two header fields contain the filename, in percent-encoded sections (RFC 2231, section 4.1).
    names = 2 * (5 * _utf8_size(attachment.filename) + 100)
    others = _header_size(attachment.content_type) + _header_size(attachment.content_id or "")
    return _HEADERS_OF_A_PART + names + others + _base64_size(attachment.size)


def _base64_size(size: int) -> int:
    characters = (size + 2) // 3 * 4
    return characters + 2 * -(-characters // _LINE)


def _utf8_size(text: str) -> int:
    if text.isascii():
        return len(text)
    # In pieces, because the encoder allocates up to four bytes for each character.
    pieces = range(0, len(text), _PIECE_CHARACTERS)
    return sum(len(text[at : at + _PIECE_CHARACTERS].encode()) for at in pieces)
