"""Rules for the texts of a message: the API accepts one text and one HTML text.

A ``Text`` is a text that the message displays, in one form or in two. The rules join several.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from smtp_relay.message.adaptations import Adaptations

# The API makes a text from this many characters of HTML.
MAX_HTML = 128 * 1024
# The text of a message that also has HTML is there twice, and its "<" and "&" are longer in HTML.
MAX_TEXTS_IN_HTML = 2 * MAX_HTML
_LINE_END = "\r\n"
_LEFT_OUT = "[...]"  # as the API ends the text of longer HTML
_EMPTY_LINE = "<br>\r\n"


@dataclass(frozen=True, slots=True)
class Text:
    """A text to display. ``number`` is the position of its part.

    ``texts_in_html`` are the texts of the parts whose HTML is joined, if only some have a text. So
    the API has to make the text from the HTML: none of the parts is the text of all.
    """

    text: str | None = None
    html: str | None = None
    number: str = ""
    texts_in_html: str | None = None

    @property
    def place(self) -> str:
        """The prefix of sentences about the text."""
        return f"Part {self.number}: "

    @property
    def is_blank(self) -> bool:
        """Whether the text shows nothing."""
        return not (self.text or "").strip() and not (self.html or "").strip()


def those_html_can_show(texts: list[Text]) -> tuple[list[Text], list[Text]]:
    """``texts`` that can be joined, and those that are too long to be part of an HTML text too."""
    if len(texts) < 2 or all(text.html is None or text.is_blank for text in texts):
        return texts, []
    shown, too_long, space = list[Text](), list[Text](), MAX_TEXTS_IN_HTML
    for text in texts:
        size = len(_as_html(text)) if text.html is None else 0
        if size <= space:
            shown.append(text)
            space -= size
        else:
            too_long.append(text)
    return shown, too_long


def joined(texts: list[Text], adaptations: Adaptations) -> Text | None:
    """All ``texts``, which are shown one after the other, as one. None if there are none."""
    if len(texts) > 1:
        texts = [text for text in texts if not text.is_blank] or texts[:1]
    if len(texts) < 2:
        return texts[0] if texts else None
    for text in texts[1:]:
        # A strict relay attaches these texts, so this is no error of it.
        adaptations.add("joined", f"{text.place}joined to the text before it", None)
    html = _EMPTY_LINE.join(map(_as_html, texts))
    number = texts[0].number
    if all(text.html is None for text in texts):
        return Text(_joined_plain(texts), number=number)
    if all(text.text is not None for text in texts):
        return Text(_joined_plain(texts), html, number)
    plain = [text.texts_in_html or text.text for text in texts]
    if not any((one or "").strip() for one in plain):
        return Text(None, html, number)
    shown = [Text(_LEFT_OUT if one is None else one) for one in plain]
    return Text(None, html, number, _joined_plain(shown))


def text_version(texts: str | None, html: str, adaptations: Adaptations) -> str | None:
    """The text to send beside joined ``html``. None if the API has to make it from the HTML.

    :param texts: ``Text.texts_in_html``.
    """
    if texts is None:
        return ""
    if len(html) <= MAX_HTML:
        adaptations.add("repaired", "Text version made from the joined HTML text", None)
        return None
    sentence = f"HTML text replaced by {_LEFT_OUT} in the text version"
    adaptations.add("left_out", sentence, None)
    return texts


def _joined_plain(texts: list[Text]) -> str:
    """The texts, each with a line end at its end, and an empty line between two."""
    plain = [text.text or "" for text in texts]
    return _LINE_END.join(text if text.endswith("\n") else text + _LINE_END for text in plain)


def paired(texts: list[Text], adaptations: Adaptations) -> list[Text]:
    """One text and after it one HTML text, which are alone, are the two forms of one text."""
    shown = [text for text in texts if not text.is_blank]
    if len(shown) == 2:
        plain, html = shown
        if plain.html is None and html.text is None and html.texts_in_html is None:
            sentence = f"{html.place}joined to the text as its HTML"
            adaptations.add("joined", sentence, None)
            return [Text(plain.text, html.html, plain.number)]
    return texts


def alternative(texts: list[Text], adaptations: Adaptations) -> list[Text]:
    """``texts``, which are alternatives of each other, as one."""
    if len(texts) < 2:
        return texts
    plain = _without_copies([text for text in texts if text.html is None], adaptations)
    html = _without_copies([text for text in texts if text.html is not None], adaptations)
    first, second = joined(plain, adaptations), joined(html, adaptations)
    if first is None or second is None:
        return [first or second or texts[0]]
    if first.is_blank:
        return [second]
    if second.text is not None and second.text != first.text:
        sentence = f"{second.place}the text left out: an alternative has a text"
        adaptations.add("left_out", sentence, None)
    return [Text(first.text, second.html, first.number)]


def _without_copies(texts: Iterable[Text], adaptations: Adaptations) -> list[Text]:
    kept: dict[tuple[str | None, str | None], Text] = {}
    for text in texts:
        key = (text.text, text.html)
        if key in kept:
            sentence = f"{text.place}left out: another alternative has the same content"
            adaptations.add("left_out", sentence, None)
        else:
            kept[key] = text
    return list(kept.values())


def _as_html(text: Text) -> str:
    # Loading a module with the names of all characters takes memory that most relays don't need.
    from html import escape

    if text.html is not None:
        return text.html
    escaped = escape(text.text or "", quote=False)
    # HTML ignores a line end after the tag.
    begin = _LINE_END if escaped.startswith(("\r", "\n")) else ""
    return f"<pre>{begin}{escaped}</pre>{_LINE_END}"
