"""The plain text of HTML: readable for any HTML, and computed in linear time."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.plain_text import MAX_HTML, plain_text
from tests.measured import FACTOR, is_linear


@pytest.mark.parametrize(
    ("html", "text"),
    [
        # Texts
        ("", ""),
        ("Hello", "Hello"),
        ("  Hello \n\t <b>dear</b>  <i> friend</i>! ", "Hello dear friend!"),
        ("a &amp; b &lt;c&gt; &euro; &#8364; &#x20ac; &nbsp;d", "a & b <c> € € € d"),
        ("1 < 2 && 3 > 2; a<>b", "1 < 2 && 3 > 2; a<>b"),
        ("&#99999999; &#0; &#xd800; &unheard; &", "\ufffd \ufffd \ufffd &unheard; &"),
        (f"&#{'9' * 5000}; &#x{'f' * 5000}", "\ufffd \ufffd"),
        (f"&#{65:037}; &#{65:038};", "A \ufffd"),  # 40 and 41 characters
        ("a\0\1\2b\3\4\x08c\x0e\x10\x1fd", "abcd"),
        ("a\tb\nc\vd\fe\rf", "a b c d e f"),
        ("&amp;lt;p&amp;gt; &lt;p&gt;", "&lt;p&gt; <p>"),
        # Paragraphs and lines
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<h1>Title</h1>Text<h2>Next</h2>", "Title\n\nText\n\nNext"),
        ("<div>One</div><div>Two</div>", "One\nTwo"),
        ("One<br>Two<br/><BR>Three", "One\nTwo\n\nThree"),
        ("<div><div><p>One</p></div></div><p></p><p>Two", "One\n\nTwo"),
        ("One<hr>Two", "One\n\n--------------------\n\nTwo"),
        ("<pre>\n  a  b\n    c</pre>d", "  a  b\n    c\n\nd"),
        ("<pre>if <b class=x>a</b>:\r\n\tb &lt;  c</pre> d", "if a:\n    b <  c\n\nd"),
        ("<b>a  b</b><pre>  c</pre>", "a b\n\n  c"),
        ("<DIV>One</Div><P>Two</p>", "One\n\nTwo"),
        # Links and images
        ('<a href="https://a.example">here</a>.', "here (https://a.example)."),
        ("<a href='https://a.example/?b=1&amp;c'>here</a>", "here (https://a.example/?b=1&c)"),
        ("<a href=https://a.example>https://a.example</a>", "https://a.example"),
        ("<a href=https://a.example>a.example</a>", "a.example"),
        ("<a href=mailto:a@b.example>a@b.example</a>", "a@b.example"),
        ("<a href=http://a.example>a <a href=tel:12>b</a>", "a (http://a.example) b (tel:12)"),
        ("<a href='http://x?a=1&copy=2&amp;lt=3'>here</a>", "here (http://x?a=1&copy=2&lt=3)"),
        ("<a href=' http://x/a b\n'><div> here </div></a>it", "here (http://x/a%20b)\nit"),
        ("<a href='#top'>up</a> <a href='javascript:x'>go</a> <a name=x>to</a>", "up go to"),
        ("<a title='x href=y' href='https://a.example'>here</a>", "here (https://a.example)"),
        ("<a href=https://a.example><img src=b></a>", ""),
        ("<a href=https://a.example><img alt='Logo'></a>", "Logo (https://a.example)"),
        ("<img alt='Tea &amp; cake' src=x><img src=y alt>", "Tea & cake"),
        # Lists
        ("a<ul><li>one<li>two</ul>b", "a\n\n* one\n* two\n\nb"),
        ("<ol><li>one</li><li>two</li></ol>", "1. one\n2. two"),
        ("<ul><li>a<ol><li>b</li></ol></li><li>c<br>d</li></ul>", "* a\n  1. b\n* c\n  d"),
        ("<ul><li><p>a</p></li><li><p>b</p></li></ul>", "* a\n\n* b"),
        ("</ul></ol><li>a", "* a"),
        ("a<ul><li></ul>b<ol><li>", "a\n\nb"),
        ("<ol><li>" * 5 + "a", "        1. a"),
        ("<ol><li>" * 6 + "a", "        1. a"),
        # Tables
        ("<table><tr><th>a<th>b<tr><td>1<td>2</table>", "a | b\n1 | 2"),
        ("<table><tr><td>1</td><td> </td><td>3</td></tr></table>", "1 | 3"),
        ("<table><tr><td><table><tr><td>in</td></tr></table></td></tr></table>out", "in\n\nout"),
        ("<table><tr><td><p>a</p></td><td><p>b</p></td></tr></table>", "a\n\nb"),
        # Quotations
        ("a<blockquote>b<br>c<p>d</blockquote>e", "a\n\n> b\n> c\n>\n> d\n\ne"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>", "> a\n>\n> > b"),
        ("<blockquote><blockquote>a</blockquote>b</blockquote>c", "> > a\n>\n> b\n\nc"),
        ("a</blockquote>b<blockquote>c", "a\n\nb\n\n> c"),
        ("<blockquote>" * 5 + "a", "> > > > > a"),
        ("<blockquote>" * 6 + "a", "> > > > > a"),
        ("<blockquote>a<ul><li>b<br>c</ul></blockquote>d", "> a\n>\n> * b\n>   c\n\nd"),
        # Invisible elements
        ("<title>T</title><style>p{}</style><script>a<b</script>x", "x"),
        ("<SCRIPT type='a'>'</p>' </scripts> </SCRIPT >x<scripture>y", "xy"),
        ("a<!-- b --> <!----> <!--> <!-- <p> -->c<!doctype html><?php ?></>", "a c"),
        ("<!--[if mso]>a<![endif]--><!--[if !mso]><!-->b<!--<![endif]-->", "b"),
        # Incomplete HTML
        ("a<script>b", "a"),
        ("a<!-- b", "a"),
        ("a<p", "a"),
        ("a<p class='b>c</p>", "a"),
        ("<p title='a>b'>c", "c"),
        ("<p it's>a", "a"),
    ],
)
def test_html_becomes_readable_text(html: str, text: str) -> None:
    assert plain_text(html) == text


def test_only_the_beginning_of_long_html_is_read() -> None:
    fits = "<p>" + "word " * (MAX_HTML // 5)
    fits = fits[:131_072]
    assert plain_text(fits) == fits.removeprefix("<p>").strip()
    assert plain_text(fits + "<p>end") == fits.removeprefix("<p>").strip() + "\n[...]"
    assert plain_text("<b>" * MAX_HTML + "end") == ""


PIECES = [
    *("<", ">", "</", "<!--", "-->", "<p>", "</p>", "<ul>", "<li>", "<ol>", "</ol>", "<pre>"),
    *("</pre>", "<blockquote>", "<td>", "<tr>", "<hr>", "<br>", "<a href=http://x>", "<a ", "</a>"),
    *("<img alt=", "'", '"', "=", "&", "&amp;", "&#", ";", "<script>", "</script>", "a", "\n", " "),
]


@given(html=st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=60).map("".join))
def test_any_html_becomes_text(html: str) -> None:
    text = plain_text(html)
    assert text == text.strip("\n")
    assert "\n\n\n" not in text
    assert len(text) <= 20 * len(html) + 20


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [
        *("<", "<!", "<!--", "<p", "</p", "<div>", "<a ", "<a href='", '<a b="', "=", "==", "='"),
        *("&#", "&#9", "9", "&lt;", "<script>", "<script></script>", "<ul>", "<ul><li>a<br>"),
        *("<li>a", "<blockquote>a<br>", "<td>a", "<br>", "</ul></blockquote>", "<img alt "),
        *("<a href=http://x>y", "<b", " ", "\n"),
    ],
)
@pytest.mark.parametrize("before", ["", "<a ", "<a href='http://x'>", "<pre>", "&#"])
def test_time_grows_linearly_with_the_length(before: str, piece: str) -> None:
    html = (before + piece * MAX_HTML)[:MAX_HTML]
    short, long = (partial(plain_text, html[:size]) for size in (MAX_HTML // FACTOR, MAX_HTML))
    assert is_linear(short, long)


@pytest.mark.parametrize("piece", ["<", "<a href=", "&", "<!--", "<ul><li>a<br>", "<p>x</p>"])
def test_html_without_end_takes_no_longer_than_its_beginning(piece: str) -> None:
    html = piece * (FACTOR * FACTOR * MAX_HTML // len(piece))
    assert is_linear(partial(plain_text, html[:MAX_HTML]), partial(plain_text, html))
