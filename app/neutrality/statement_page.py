"""A statement as a page (声明网页): readable without a script; it asks nobody else for anything."""

from functools import cache
from typing import Final

import segno
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from app.certificates.page import HEADERS, STYLE
from app.neutrality.statement_telling import ToldStatement

__all__ = ["HEADERS", "page_of"]
PACKAGE: Final = "app.neutrality"


def page_of(said: ToldStatement, link: str) -> str:
    """Set a statement; every word of it is escaped."""
    code = Markup(segno.make_qr(link, error="m").svg_inline(scale=4))  # noqa: S704 -- the library's
    style = Markup(STYLE)  # noqa: S704 -- a constant
    return _template().render(said=said, link=link, code=code, style=style)


@cache
def _template() -> Template:
    made = Environment(
        loader=PackageLoader(PACKAGE, "."), autoescape=True, undefined=StrictUndefined
    )
    return made.get_template("statement.html")
