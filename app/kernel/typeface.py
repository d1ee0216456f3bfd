"""The typeface of printed documents (字体): Noto Sans SC, cut to what a document says, embedded.

The font has CFF outlines (SIL Open Font License 1.1, `docs/data-attribution.md`); the PDF library
embeds TrueType. So the few glyphs that a document needs are taken out, their cubic curves
are approximated by quadratic ones within a thousandth of an em, and the result is embedded: what
is printed looks the same everywhere, and the same text gives the same bytes.
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from threading import Lock
from typing import Any, Final

from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont, newTable
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
_UNUSED: Final = (
    *("maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs"),
    *("maxStackElements", "maxSizeOfInstructions", "maxComponentElements", "maxPoints"),
    *("maxContours", "maxCompositePoints", "maxCompositeContours", "maxComponentDepth"),
)
"""Of `maxp`: counted as the table is written, or without use where nothing is hinted."""


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
    """Give a TrueType font of these characters."""
    options = Options(
        layout_features=[], hinting=False, notdef_outline=True, name_IDs=["*"], glyph_names=False
    )
    options.drop_tables += ["BASE", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx"]
    with TTFont(sans_path(), lazy=True, recalcTimestamp=False) as font:
        cutter = Subsetter(options)
        cutter.populate(unicodes=sorted(map(ord, characters)))
        cutter.subset(font)
        _to_truetype(font)
        out = BytesIO()
        font.save(out)
    return out.getvalue()


def _to_truetype(font: Any) -> None:  # noqa: ANN401 -- the library annotates no table
    """Replace cubic outlines by quadratic ones."""
    order, outlines, glyphs = font.getGlyphOrder(), font.getGlyphSet(), dict[str, Any]()
    for name in order:
        pen = TTGlyphPen(outlines)
        outlines[name].draw(Cu2QuPen(pen, TOLERANCE, reverse_direction=True))
        glyphs[name] = pen.glyph()
    glyf: Any = newTable("glyf")
    glyf.glyphOrder, glyf.glyphs = order, glyphs
    font["loca"], font["glyf"] = newTable("loca"), glyf
    sizes = font["maxp"]
    sizes.tableVersion, sizes.maxZones = 0x00010000, 1
    for field in _UNUSED:
        setattr(sizes, field, 0)
    font["post"].formatType = 3.0
    del font["CFF "]
    font.sfntVersion = "\x00\x01\x00\x00"
