"""A travel survey as a page (问卷网页): a form without a script, for whoever scans the QR code."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl

import segno
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from app.neutrality.modes import Mode
from app.neutrality.survey_rules import BANDS
from app.neutrality.surveys import TravelSurvey

FIELDS_MAX: Final = 8
STYLE: Final = """
body { font: 1.1rem/1.6 system-ui, sans-serif; color: #14301f; background: #fbfdfb; margin: 0 }
main { max-width: 32rem; margin: 1rem auto; padding: 0 1rem } h1 span { font-weight: 400 }
input, select, button { font: inherit; width: 100%; padding: .5rem; box-sizing: border-box }
button { background: #0b6b3a; color: #fff; border: 0; border-radius: .3rem }
"""
_HASH: Final = b64encode(sha256(STYLE.encode()).digest()).decode()
HEADERS: Final = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
WORDS: Final = {
    Mode.WALK: "步行 on foot",
    Mode.BIKE: "自行车 by bike",
    Mode.MOTORBIKE: "摩托车、电动自行车 by motorbike or e-bike",
    Mode.METRO: "地铁 by metro",
    Mode.BUS: "公交 by bus",
    Mode.COACH: "大巴 by coach",
    Mode.TRAIN: "火车、高铁 by train",
    Mode.TAXI: "出租车、网约车 by taxi",
    Mode.CAR: "私家车 by car",
    Mode.FERRY: "轮渡 by ferry",
    Mode.FLIGHT: "飞机 by air",
}


def page_of(
    survey: TravelSurvey, link: str, *, ticket: str = "", told: str = "", done: bool
) -> str:
    """Set the form, or thanks; every word of it is escaped."""
    return _template().render(
        survey=survey,
        action=f"/v1/public/surveys/{link}/form",
        ticket=ticket,
        told=told,
        done=done,
        modes=[(mode.value, words) for mode, words in WORDS.items()],
        bands=BANDS,
        style=Markup(STYLE),  # noqa: S704 -- a constant
    )


def code_of(address: str) -> bytes:
    """Draw the QR code that opens a survey, as SVG."""
    return segno.make_qr(address, error="m").svg_inline(scale=8).encode()


def form_of(body: bytes) -> dict[str, str]:
    """Read what a browser sends of the form; what is no form is an empty one.

    >>> form_of(b"mode=car&persons=2"), form_of(b"%"), form_of(b"a=1&a=2")
    ({'mode': 'car', 'persons': '2'}, {}, {})
    """
    try:
        pairs = parse_qsl(body.decode(), strict_parsing=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        return {}
    said = dict(pairs)
    return said if len(said) == len(pairs) else {}


@cache
def _template() -> Template:
    loader = PackageLoader("app.neutrality", ".")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    return made.get_template("survey.html")
