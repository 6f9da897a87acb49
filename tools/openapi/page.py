"""The page at /docs. Its script shows the description with Scalar (console/site/docs.ts).

Until then, and without scripts, the page has the introduction of the description with the quick
start.
"""

from typing import Any

from tools.guides.markdown import render
from tools.guides.site import HEAD, HEADER

_PAGE = """\
<body>
{header}<main id="introduction" class="text">
<h1>{title}</h1>
{about}
<noscript>
<p>The list of all calls needs JavaScript. The <a href="/guides/api">guides</a> have all calls with
examples, and <a href="/openapi.json">openapi.json</a> describes every field.</p>
</noscript>
</main>
</body>
</html>
"""


def page(description: dict[str, Any]) -> str:
    """The page as HTML."""
    info = description["info"]
    head = HEAD.format(language="en", title=f"{info['title']}: reference", sheet="docs")
    about = render(info["description"]).html
    return head + _PAGE.format(header=HEADER, title=info["title"], about=about)
