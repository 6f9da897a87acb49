"""Rules for the texts of a message: the API accepts one text and one HTML text.

A ``Text`` is a text that the message displays, in one form or in two. The rules join several.
"""

import html as markup
from collections.abc import Iterable
from dataclasses import dataclass

from smtp_relay.message.adaptations import Adaptations

_LINE_END = "\r\n"
_EMPTY_LINE = "<br>\r\n"


@dataclass(frozen=True, slots=True)
class Text:
    """A text to display. ``place`` is the prefix of sentences about it.

    ``has_text_in_html`` says that the HTML contains a part that was a text. So the API has to make
    the text from the HTML: none of the parts is the text of all.
    """

    text: str | None = None
    html: str | None = None
    place: str = ""
    has_text_in_html: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether the text shows nothing."""
        return self.html is None and not (self.text or "").strip()


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
    place = texts[0].place
    if all(text.html is None for text in texts):
        return Text(_joined_plain(texts), place=place)
    if all(text.text is not None for text in texts):
        return Text(_joined_plain(texts), html, place)
    for text in texts:
        if text.text is not None and text.html is not None:
            sentence = f"{text.place}the text left out: its HTML text is sent"
            adaptations.add("left_out", sentence, None)
    has_text = any(text.html is None or text.has_text_in_html for text in texts)
    return Text(None, html, place, has_text)


def _joined_plain(texts: list[Text]) -> str:
    """The texts, each with a line end at its end, and an empty line between two."""
    plain = [text.text or "" for text in texts]
    return _LINE_END.join(text if text.endswith("\n") else text + _LINE_END for text in plain)


def paired(texts: list[Text], adaptations: Adaptations) -> list[Text]:
    """One text and one HTML text alone are the two forms of one text."""
    if len(texts) == 2:
        forms = sorted(texts, key=lambda text: text.html is not None)
        plain, html = forms
        if plain.html is None and html.text is None and not html.has_text_in_html:
            sentence = f"{html.place}joined to the text as its HTML"
            adaptations.add("joined", sentence, None)
            return [Text(plain.text, html.html, texts[0].place)]
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
    if second.text is not None and second.text != first.text:
        sentence = f"{second.place}the text left out: an alternative has a text"
        adaptations.add("left_out", sentence, None)
    return [Text(first.text, second.html, first.place)]


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
    if text.html is not None:
        return text.html
    return f"<pre>{markup.escape(text.text or '', quote=False)}</pre>{_LINE_END}"
