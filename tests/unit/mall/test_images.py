"""Pictures that merchants send (商品图片), the hostile ones too: made anew, or refused."""

import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin

from app.mall import images
from app.mall.images import BYTES_MAX, SIDE_MAX, served_picture
from app.mall.offer_errors import ImageInvalid, ImagesBusy
from tests.support.offers import picture

SECRET = b"22.5431N 114.0579E"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<html><script>alert(1)</script></html>"


def opened(data: bytes) -> Image.Image:
    made = Image.open(BytesIO(data))
    made.load()
    return made


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """Write a PNG that says its size and may lie."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_three_kinds_are_taken_and_one_is_made(kind: str) -> None:
    made = opened(served_picture(picture(kind)))
    assert (made.format, made.size, made.mode) == ("WEBP", (64, 48), "RGB")


def test_the_same_picture_makes_the_same_bytes() -> None:
    assert served_picture(picture()) == served_picture(picture())


def test_a_large_picture_is_made_smaller_in_proportion() -> None:
    made = opened(served_picture(picture("JPEG", (4000, 2000))))
    assert made.size == (SIDE_MAX, SIDE_MAX // 2)


def test_noise_that_does_not_fit_loses_quality_and_not_the_limit() -> None:
    noise = Image.effect_noise((SIDE_MAX, SIDE_MAX), 120).convert("RGB")
    out = BytesIO()
    noise.save(out, "JPEG", quality=90)
    assert len(served_picture(out.getvalue())) <= BYTES_MAX


def test_what_fits_in_no_quality_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "BYTES_MAX", 10)
    with pytest.raises(ImageInvalid):
        served_picture(picture())


def test_where_it_was_taken_and_by_what_is_gone() -> None:
    exif = Image.Exif()
    exif[0x010F] = SECRET.decode()
    exif.get_ifd(0x8825)[1] = "N"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    profile = SECRET + bytes(200)
    for sent in (
        picture("JPEG", exif=exif, comment=SECRET, icc_profile=profile),
        picture("PNG", exif=exif, pnginfo=text, icc_profile=profile),
        picture("WEBP", exif=exif.tobytes(), xmp=SECRET, icc_profile=profile),
    ):
        assert SECRET in sent or b"iCCP" in sent
        made = served_picture(sent)
        assert SECRET not in made
        assert not {"exif", "xmp", "icc_profile", "comment", "Comment"} & set(opened(made).info)
        assert not opened(made).getexif()


def test_a_picture_that_lies_on_its_side_is_put_upright_before_that_is_forgotten() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert opened(served_picture(picture("JPEG", (40, 20), exif=exif))).size == (20, 40)


def test_what_can_be_seen_through_stays_so() -> None:
    out = BytesIO()
    drawn = Image.new("RGBA", (20, 20))
    ImageDraw.Draw(drawn).rectangle((0, 0, 9, 19), fill="red")
    drawn.save(out, "PNG")
    made = opened(served_picture(out.getvalue()))
    assert made.mode == "RGBA"
    assert made.getchannel("A").getextrema() == (0, 255)


@pytest.mark.parametrize(
    "hidden", [SVG, HTML, b"PK\x03\x04" + bytes(50)], ids=["svg", "html", "zip"]
)
def test_nothing_hides_in_a_picture(hidden: bytes) -> None:
    for sent in (
        picture("JPEG") + hidden,
        picture("PNG") + hidden,
        picture("JPEG", comment=hidden),
        picture("WEBP", xmp=hidden),
    ):
        made = served_picture(sent)
        assert hidden in sent
        assert hidden not in made
        assert made[:4] == b"RIFF"
        assert int.from_bytes(made[4:8], "little") + 8 == len(made)


def test_the_second_picture_of_a_phone_goes() -> None:
    out = BytesIO()
    first, second = Image.new("RGB", (40, 30), "red"), Image.new("RGB", (20, 10), "blue")
    first.save(out, "MPO", save_all=True, append_images=[second])
    assert opened(out.getvalue()).format == "MPO"
    made = opened(served_picture(out.getvalue()))
    assert made.size == (40, 30)


def moving(kind: str) -> bytes:
    out = BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def a_bomb() -> bytes:
    """A square of 5,000 × 5,000 grey points in thirty kilobytes."""
    return png(5_000, 5_000, chunk(b"IDAT", zlib.compress(bytes(5_001 * 5_000))))


HOSTILE = {
    "nothing": b"",
    "noise": bytes(range(256)) * 8,
    "svg": SVG,
    "html": HTML,
    "gif": picture("GIF"),
    "tiff": picture("TIFF"),
    "bmp": picture("BMP"),
    "pdf": picture("PDF"),
    "moving-png": moving("PNG"),
    "moving-webp": moving("WEBP"),
    "moving-gif": moving("GIF"),
    "truncated-jpeg": picture("JPEG", (640, 480))[:-200],
    "truncated-png": picture("PNG", (640, 480))[:-200],
    "truncated-webp": picture("WEBP", (640, 480))[:-200],
    "head-alone": picture("JPEG")[:20],
    "huge-and-empty": png(2**31 - 1, 2**31 - 1),
    "no-size": png(0, 0),
    "wide": png(16_000_001, 1),
    "no-pixels": png(64, 64),
    "wrong-checksum": picture("PNG").replace(b"IDAT", b"IDAX"),
    "text-bomb": png(8, 8, chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(80_000_000)))),
    "profile-bomb": png(8, 8, chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(80_000_000)))),
    "many-scans": picture("JPEG")[:-2] + b"\xff\xda" * 65 + b"\xff\xd9",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_single_whole_picture_is_refused(data: bytes) -> None:
    with pytest.raises(ImageInvalid):
        served_picture(data)


def test_a_bomb_is_refused_by_its_head(monkeypatch: pytest.MonkeyPatch) -> None:
    data = a_bomb()
    assert len(data) < images.BODY_MAX
    monkeypatch.setattr(Image.Image, "load", never)
    with pytest.raises(ImageInvalid):
        served_picture(data)


def never(*_: object) -> None:
    raise AssertionError("it was decoded")


@given(place=st.integers(0, 2_000), value=st.integers(0, 255), kind=st.sampled_from(images.KINDS))
def test_a_damaged_picture_is_made_anew_or_refused(place: int, value: int, kind: str) -> None:
    data = bytearray(picture(kind))
    data[place % len(data)] = value
    try:
        made = served_picture(bytes(data))
    except ImageInvalid:
        return
    assert opened(made).format == "WEBP"


@given(data=st.binary(max_size=400), kind=st.sampled_from(images.KINDS))
def test_a_picture_that_turns_into_noise_is_made_anew_or_refused(data: bytes, kind: str) -> None:
    half = picture(kind)
    try:
        served_picture(half[: len(half) // 2] + data)
    except ImageInvalid:
        return


def test_pictures_wait_for_a_decoder_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "WAIT_S", 0.01)
    held = [images.DECODERS.acquire(timeout=0) for _ in range(3)]
    try:
        assert held == [True, True, False]
        with pytest.raises(ImagesBusy):
            served_picture(picture())
    finally:
        for _ in range(2):
            images.DECODERS.release()
    assert served_picture(picture())
    with pytest.raises(ImageInvalid):
        served_picture(b"")
    assert served_picture(picture())
