"""A certificate as a page (证书网页): read without a script, checked with one, in the browser."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from typing import Final

import segno
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from app.certificates.telling import ToldCertificate

STYLE: Final = """
body { font: 1rem/1.6 system-ui, sans-serif; color: #14301f; background: #fbfdfb; margin: 0 }
main { max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
.whole { color: #0b6b3a }
.lost { color: #fff; background: #b00020; padding: .6rem 1rem; font-weight: 700 }
.amount { font-size: 1.8rem } blockquote { white-space: pre-line; overflow-wrap: anywhere }
td, th { text-align: left; padding: .1rem 1rem .1rem 0; vertical-align: top }
code, strong, figcaption { overflow-wrap: anywhere }
output { display: block; white-space: pre-line }
"""
_HASH: Final = b64encode(sha256(STYLE.encode()).digest()).decode()
HEADERS: Final = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; script-src 'self'; connect-src 'self';"
        " form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def page_of(found: ToldCertificate, link: str) -> str:
    """Set a certificate; every word of it is escaped."""
    code = Markup(segno.make_qr(link, error="m").svg_inline(scale=4))  # noqa: S704 -- the library's
    style = Markup(STYLE)  # noqa: S704 -- a constant
    return _template().render(said=found, link=link, code=code, style=style)


@cache
def _template() -> Template:
    loader = PackageLoader("app.certificates", ".")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    return made.get_template("certificate.html")
