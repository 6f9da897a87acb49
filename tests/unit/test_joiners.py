"""Joiners in names: allowed where the spelling needs them, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.characters import has_deceptive
from mail.joiners import without_joiners
from mail.mailbox import InvalidName, display_name

NON_JOINER, JOINER = "\u200c", "\u200d"
ALEF, BEH, REH = "\u0627", "\u0628", "\u0631"  # BEH joins on both sides, the others on the right
FATHA = "\u064e"  # a vowel mark: transparent
KA, SSA, VIRAMA = "\u0915", "\u0937", "\u094d"  # Devanagari
WOMAN, PLANE, HEART, TONE, EMOJI_STYLE = "👩", "✈", "❤", "🏽", "\ufe0f"


@pytest.mark.parametrize(
    "name",
    [
        f"علی{NON_JOINER}رضا",
        f"{BEH}{NON_JOINER}{BEH}",
        f"{BEH}{FATHA}{NON_JOINER}{FATHA}{BEH}",
        f"{KA}{VIRAMA}{NON_JOINER}{SSA}",
        f"{KA}{VIRAMA}{JOINER}{SSA}",
        f"ශ්{JOINER}රී ලංකා",
        f"Crew {WOMAN}{JOINER}{PLANE}{EMOJI_STYLE}",
        f"{WOMAN}{TONE}{JOINER}{PLANE}{EMOJI_STYLE} and {WOMAN}{JOINER}{PLANE}",
        f"{WOMAN}{JOINER}{HEART}{EMOJI_STYLE}{JOINER}{WOMAN}",
        f"👨{JOINER}👩{JOINER}👧{JOINER}👦",
        f"🏳{EMOJI_STYLE}{JOINER}🌈",
    ],
)
def test_a_name_may_have_the_joiners_of_its_spelling(name: str) -> None:
    assert display_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        f"Pay{NON_JOINER}Pal",
        f"Pay{JOINER}Pal",
        f"{JOINER}{WOMAN}",
        f"{WOMAN}{JOINER}",
        f"{WOMAN}{JOINER}{JOINER}{PLANE}",
        f"{WOMAN}{JOINER} {PLANE}",
        f"{WOMAN}{NON_JOINER}{PLANE}",
        f"a{JOINER}{WOMAN}",
        f"{WOMAN}{JOINER}a",
        f"1{EMOJI_STYLE}{JOINER}2",
        f"{ALEF}{NON_JOINER}{BEH}",  # ALEF does not join with the next letter
        f"{BEH}{NON_JOINER}",
        f"{NON_JOINER}{BEH}",
        f"{BEH}{NON_JOINER}{NON_JOINER}{BEH}",
        f"{BEH}{NON_JOINER} {BEH}",
        f"{BEH}{JOINER}{BEH}",
        f"{KA}{JOINER}{SSA}",
        f"\U000e0fff{NON_JOINER}{BEH}",  # a character that is not assigned
        f"علی{NON_JOINER}رضا\u200b",
        f"\u202e{WOMAN}{JOINER}{PLANE}",
    ],
)
def test_a_name_has_no_other_invisible_characters(name: str) -> None:
    with pytest.raises(InvalidName) as caught:
        display_name(name)
    assert caught.value.code == "display_name_has_hidden"


LETTERS = (ALEF, BEH, REH, FATHA, KA, SSA, VIRAMA, "a", " ")
EMOJI = (WOMAN, PLANE, TONE, EMOJI_STYLE)
PIECES = st.sampled_from([NON_JOINER, JOINER, *LETTERS, *EMOJI, "\u200b", "\U000e0fff"])


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=30))
def test_only_joiners_are_left_out(text: str) -> None:
    rest = without_joiners(text)
    characters = iter(text)
    left_out = [skipped for kept in rest for skipped in iter(lambda: next(characters), kept)]
    assert {*left_out, *characters} <= {NON_JOINER, JOINER}
    if not has_deceptive(text):
        assert rest == text
