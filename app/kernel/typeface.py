"""The typeface of printed documents (字体): Noto Sans SC, cut to what a document says, embedded.

The font has CFF outlines (SIL Open Font License 1.1, `docs/data-attribution.md`); the PDF library
embeds TrueType. So the few glyphs that a document needs are taken out, their cubic curves
are approximated by quadratic ones within a thousandth of an em, and the font that they make is
embedded: what is printed looks the same everywhere, and the same text gives the same bytes.
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from io import BytesIO
from threading import Lock
from typing import Any, Final

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from pylopdf_fonts_zh_cn import sans_path
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont as EmbeddedFont

MISSING: Final = "〓"
"""Set for a character that the typeface has no glyph for: that something was there is said."""
ALWAYS: Final = f" {MISSING}"
_NAME: Final = "tanpu"
_DRAWING: Final = Lock()
TOLERANCE: Final = 1.0
"""How far a curve may move [1/1000 em]."""


@cache
def _covered() -> frozenset[int]:
    with TTFont(sans_path(), lazy=True) as font:
        return frozenset(font.getBestCmap() or ())


def drawable(text: str) -> str:
    """Put a mark in the place of what the typeface has no glyph for.

    >>> drawable("商户 A1"), drawable("𠮷野家")
    ('商户 A1', '〓野家')
    """
    return "".join(each if ord(each) in _covered() else MISSING for each in text)


@contextmanager
def typeface(texts: Iterable[str]) -> Generator[str]:
    """Give the name under which the library draws these texts, while the ``with`` block lasts.

    The library's register of fonts is the process's: one document is drawn at a time.
    """
    with _DRAWING:
        font = EmbeddedFont(_NAME, BytesIO(_cut(frozenset(ALWAYS.join(texts) + ALWAYS))))
        pdfmetrics.registerFont(font)
        try:
            yield _NAME
        finally:
            # It keeps the first font of a name, with its few glyphs, and has no way to drop one.
            for register, name in (("_fonts", _NAME), ("_dynFaceNames", font.face.name)):
                vars(pdfmetrics)[register].pop(name, None)


def _cut(characters: frozenset[str]) -> bytes:
    """Make a TrueType font of these characters."""
    whole = _whole()
    named = {code: f"u{code:04X}" for code in sorted(map(ord, characters))}
    taken = {".notdef": ".notdef"} | {named[code]: whole.getBestCmap()[code] for code in named}
    outlines = whole.getGlyphSet()
    font = FontBuilder(whole["head"].unitsPerEm)
    # As the whole has them: the same characters give the same bytes on any day.
    font.updateHead(created=whole["head"].created, modified=whole["head"].modified)
    font.setupGlyphOrder([*taken])
    font.setupCharacterMap(named)
    font.setupGlyf({name: _quadratic(outlines[source]) for name, source in taken.items()})
    font.setupHorizontalMetrics({name: whole["hmtx"][source] for name, source in taken.items()})
    font.setupHorizontalHeader(ascent=whole["hhea"].ascent, descent=whole["hhea"].descent)
    font.setupPost(keepGlyphNames=False)
    for table in ("name", "OS/2"):
        font.font[table] = deepcopy(whole[table])
    out = BytesIO()
    font.save(out)
    return out.getvalue()


@cache
def _whole() -> Any:  # noqa: ANN401 -- the library annotates no table
    """Open the typeface, once; whoever reads it holds ``_DRAWING``."""
    return TTFont(sans_path())


def _quadratic(outline: Any) -> Any:  # noqa: ANN401 -- likewise
    """Draw an outline by quadratic curves."""
    pen = TTGlyphPen(None)
    outline.draw(Cu2QuPen(pen, TOLERANCE, reverse_direction=True))
    return pen.glyph()
