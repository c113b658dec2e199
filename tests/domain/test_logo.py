"""Pictures of merchants: made small and made anew, whatever is hidden in them."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cfdi import pdf
from hub.domain.logo import PRINT_SIDE, LogoUnusable, Prepared, prepare

PAGE_BYTES = 10 * 1024


def file_of(picture: Image.Image, kind: str = "PNG", **more: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **more)
    return file.getvalue()


def drawn(width: int = 600, height: int = 200, color: str = "#0b6e4f") -> Image.Image:
    picture = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    picture.paste(Image.new("RGBA", (width // 2, height // 2), color), (width // 4, height // 4))
    return picture


def noise(width: int, height: int) -> Image.Image:
    data = random.Random(1).randbytes(width * height * 4)
    return Image.frombytes("RGBA", (width, height), data)


def opened(made: Prepared) -> tuple[Image.Image, Image.Image]:
    return Image.open(io.BytesIO(made.page.image)), Image.open(io.BytesIO(made.print.image))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GRAY", "PALETTE", "CMYK", "16"])
def test_every_usual_file_becomes_two_small_pictures(kind: str) -> None:
    picture = drawn()
    data = {
        "PNG": lambda: file_of(picture),
        "JPEG": lambda: file_of(picture.convert("RGB"), "JPEG"),
        "WEBP": lambda: file_of(picture, "WEBP"),
        "GRAY": lambda: file_of(picture.convert("LA")),
        "PALETTE": lambda: file_of(picture.convert("P")),
        "CMYK": lambda: file_of(picture.convert("CMYK"), "JPEG"),
        "16": lambda: file_of(Image.new("I;16", (300, 100), 30000)),
    }[kind]()
    made = prepare(data)
    page, large = opened(made)
    assert (page.format, large.format) == ("PNG", "PNG")
    assert page.size == (made.page.facts.width, made.page.facts.height)
    assert page.height <= 80
    assert page.width <= 480
    assert max(large.size) <= PRINT_SIDE
    assert len(made.page.image) <= PAGE_BYTES
    pdf.Brand(made.print.image)  # the printer takes it


def test_an_empty_border_is_cut_and_transparency_stays() -> None:
    made = prepare(file_of(drawn(600, 200)))
    assert (made.print.facts.width, made.print.facts.height) == (300, 100)
    round_one = Image.new("RGBA", (100, 100), "#ff0000ff")
    round_one.putpixel((50, 50), (0, 0, 0, 0))
    page, large = opened(prepare(file_of(round_one)))
    assert large.convert("RGBA").getpixel((50, 50)) == (0, 0, 0, 0)
    assert page.convert("RGBA").getchannel("A").getextrema()[0] < 255


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 2000), (2000, 1), (512, 512), (960, 160), (3000, 2000)]
)
def test_noise_of_any_shape_stays_below_the_limit(size: tuple[int, int]) -> None:
    made = prepare(file_of(noise(*size), compress_level=1) if max(size) < 2500 else file_of(
        Image.effect_noise(size, 90).convert("RGB"), "JPEG", quality=60))  # fmt: skip
    assert len(made.page.image) <= PAGE_BYTES
    assert min(opened(made)[0].size) >= 1


def test_nothing_but_the_picture_is_kept() -> None:
    secret = b"GPS 19.4326 -99.1332, written by somebody"
    info = PngInfo()
    info.add_text("Comment", secret.decode())
    exif = Image.Exif()
    exif[0x010E] = secret.decode()
    data = file_of(drawn(), pnginfo=info, exif=exif, icc_profile=secret)
    for one in (data + b"<script>alert(1)</script>" + secret, data):
        assert secret in one
        made = prepare(one)
        for image in (made.page.image, made.print.image):
            assert b"script" not in image
            assert b"GPS" not in image
            assert not {"Comment", "exif", "icc_profile"} & set(Image.open(io.BytesIO(image)).info)


def test_a_photograph_stands_as_it_was_taken() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    data = file_of(Image.new("RGB", (200, 100), "#aa0000"), "JPEG", exif=exif)
    facts = prepare(data).print.facts
    assert (facts.width, facts.height) == (100, 200)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, body: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


BOMB = png(30_000, 30_000, zlib.compress(b"\0" * 1_000_000, 9))
HOSTILE = {
    "nothing": b"",
    "text": b"hello",
    "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>',
    "gif": b"GIF89a" + b"\0" * 50,
    "bomb": BOMB,
    "a picture of 60 million pixels": png(60_000, 1_000, zlib.compress(b"\0" * 1000)),
    "no pixels": png(0, 10, b""),
    "truncated": file_of(drawn())[:200],
    "cut in the head": file_of(drawn())[:20],
    "truncated jpeg": file_of(drawn().convert("RGB"), "JPEG")[:300],
    "20 MB": b"\x89PNG\r\n\x1a\n" + b"\0" * 20_000_000,
    "pdf that says it is a png": b"%PDF-1.7\n\x89PNG\r\n\x1a\n",
    "html that begins like a png": b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>",
    "wholly transparent": file_of(Image.new("RGBA", (50, 50), (0, 0, 0, 0))),
    "tiff": file_of(drawn(), "TIFF"),
    "bmp": file_of(drawn().convert("RGB"), "BMP"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_usable_picture_is_refused_in_words(name: str) -> None:
    with pytest.raises(LogoUnusable) as caught:
        prepare(HOSTILE[name])
    assert str(caught.value)


def test_an_svg_is_refused_with_the_way_out() -> None:
    with pytest.raises(LogoUnusable, match="PNG, 512 pixels"):
        prepare(HOSTILE["svg"])


def test_text_that_unfolds_inside_a_png_is_not_unfolded() -> None:
    text = b"c\0\0" + zlib.compress(b"x" * 80_000_000, 9)
    data = file_of(drawn())
    head = data.index(b"IDAT") - 4
    try:
        made = prepare(data[:head] + chunk(b"zTXt", text) + data[head:])
    except LogoUnusable:
        return
    assert len(made.page.image) <= PAGE_BYTES


def test_a_logo_made_for_dark_paper_is_noticed() -> None:
    assert prepare(file_of(drawn(color="#ffffff"))).pale
    assert not prepare(file_of(drawn())).pale


@given(st.binary(max_size=400), st.integers(0, 400))
def test_any_damage_is_a_picture_or_is_refused(noise: bytes, at: int) -> None:
    data = file_of(drawn(40, 20))
    try:
        made = prepare(data[:at] + noise + data[at:])
    except LogoUnusable:
        return
    assert len(made.page.image) <= PAGE_BYTES
