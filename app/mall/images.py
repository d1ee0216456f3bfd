"""Pictures of offers (商品图片): what was sent is decoded, and what is served is made anew.

Nothing of the sender's bytes is kept: no metadata, no colour profile, nothing that follows or hides
in the file. Whatever is not a single whole picture of three kinds is refused, by what is in it and
not by what it is called; its size is known, and bounded, before a pixel of it is decoded.
"""

import struct
from io import BytesIO
from threading import BoundedSemaphore
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from app.mall.offer_errors import ImageInvalid, ImagesBusy

BODY_MAX: Final = 5 * 1024 * 1024
"""What may be sent [bytes]."""
PIXELS_MAX: Final = 16_000_000
"""Decoded at four bytes each: 64 MB."""
BYTES_MAX: Final = 512 * 1024
"""Of what is served."""
SCANS_MAX: Final = 64
"""A progressive JPEG is decoded once a scan; ordinary ones have ten."""
SIDE_MAX: Final = 1600
TRIED: Final = ((SIDE_MAX, 80), (SIDE_MAX, 60), (1200, 60), (800, 50))
"""Longer side [pixels] and quality [%]: the first that fits is served."""
MEDIA_TYPE: Final = "image/webp"
KINDS: Final = ("JPEG", "PNG", "WEBP")
JPEGS: Final = {"JPEG", "MPO"}
"""A phone's JPEG may have a second picture behind the first, for depth or brightness; it goes."""
WAIT_S: Final = 5.0

DECODERS: Final = BoundedSemaphore(2)
"""Bounds the memory that pictures take in a process, whoever sends how many."""
_SCAN: Final = b"\xff\xda"
_HOSTILE: Final = (
    *(Image.DecompressionBombError, Image.DecompressionBombWarning, UnidentifiedImageError),
    *(OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, OverflowError),
    struct.error,
)
"""What Pillow's decoders raise of bytes that lie."""


def served_picture(data: bytes) -> bytes:
    """Make the WebP that is served out of a picture that somebody sent.

    Raises:
        ImageInvalid, ImagesBusy: See their own words.
    """
    if not DECODERS.acquire(timeout=WAIT_S):
        raise ImagesBusy
    try:
        return _written(_decoded(data))
    except _HOSTILE as error:
        raise ImageInvalid from error
    finally:
        DECODERS.release()


def _decoded(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data), formats=KINDS) as opened:
        width, height = opened.size
        if width * height > PIXELS_MAX or not _is_single(opened, data):
            raise ImageInvalid
        opened.draft("RGB", (SIDE_MAX, SIDE_MAX))
        opened.load()
        upright = ImageOps.exif_transpose(opened)
        picture = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    picture.info = {}
    return picture


def _is_single(opened: Image.Image, data: bytes) -> bool:
    """Say whether it is one frame, decoded in a bounded number of passes."""
    if opened.format in JPEGS:
        return data.count(_SCAN) <= SCANS_MAX
    return getattr(opened, "n_frames", 1) == 1


def _written(picture: Image.Image) -> bytes:
    for side, quality in TRIED:
        out = BytesIO()
        picture.thumbnail((side, side))
        picture.save(out, "WEBP", quality=quality, method=4, exif=b"", xmp=b"", icc_profile=b"")
        if out.tell() <= BYTES_MAX:
            return out.getvalue()
    raise ImageInvalid
