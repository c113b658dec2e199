"""The text and the codes of a PDF or a photo. Runs in the reading process alone: files are hostile.

pypdf runs no programs and opens no attachments; papers that carry some are refused all the same.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Final

import zxingcpp
from PIL import Image, UnidentifiedImageError
from pypdf import Configuration, PasswordType, PdfReader, apply_configuration
from pypdf.errors import (
    DependencyError,
    FileNotDecryptedError,
    LimitReachedError,
    PyPdfError,
)
from pypdf.generic import ArrayObject, DictionaryObject

from cfdi.constancia.refusals import ConstanciaRefused

_MOST_PAGES: Final = 40
#: The taxpayer's data and regímenes come first; long lists of obligations follow.
_READ_PAGES: Final = 8
_MOST_CHARACTERS: Final = 100_000
_MOST_IMAGES: Final = 12
_MOST_PIXELS: Final = 12_000_000
#: A photo is looked at in this size: a code is still read where a module has two pixels.
_PHOTO_SIDE: Final = 2400
_QR: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_HARMLESS: Final = frozenset({"/GoTo", "/URI", "/Named"})
_CARRIES: Final = frozenset({"/FileAttachment", "/RichMedia", "/Screen", "/Movie", "/Sound", "/3D"})
#: Far below the limits of the process, so that most bombs end with a name.
_LIMITS: Final = Configuration(
    maximum_declared_stream_length=8_000_000,
    array_based_stream_maximum_output_length=8_000_000,
    zlib_maximum_output_length=16_000_000,
    zlib_maximum_recovery_input_length=500_000,
    lzw_maximum_output_length=4_000_000,
    run_length_maximum_output_length=8_000_000,
    brotli_maximum_output_length=8_000_000,
    jbig2_maximum_output_length=1_000_000,
    image_maximum_buffer_size=16_000_000,
    stream_decoding_work_maximum_length=40_000_000,
    stream_parsing_work_maximum_count=300_000,
    page_tree_maximum_page_entries=10_000,
    page_tree_maximum_entries=1_000,
    xform_maximum_invocations_per_extraction=200,
    jbig2dec_binary=None,
    disable_legacy_handling=True,
)


def of_pdf(data: bytes) -> tuple[str, list[str]]:
    """The text of the pages, and the text of every QR on them. Raises `ConstanciaRefused`."""
    try:
        with apply_configuration(_LIMITS):
            return _of_pdf(data)
    except LimitReachedError:
        raise ConstanciaRefused("too_complex") from None
    except (FileNotDecryptedError, DependencyError):
        raise ConstanciaRefused("encrypted") from None
    except (MemoryError, ConstanciaRefused):
        raise
    except Exception:  # noqa: BLE001 # pypdf raises what it meets: KeyError, AttributeError, …
        raise ConstanciaRefused("damaged") from None


def _of_pdf(data: bytes) -> tuple[str, list[str]]:
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
        raise ConstanciaRefused("encrypted")
    if _is_active(reader.trailer["/Root"]):
        raise ConstanciaRefused("active_content")
    count = _count(reader)
    if count > _MOST_PAGES:
        raise ConstanciaRefused("too_many_pages")
    pages = [reader.pages[number] for number in range(min(count, _READ_PAGES))]
    if not pages:
        raise ConstanciaRefused("damaged")
    if any(_page_is_active(page) for page in pages):
        raise ConstanciaRefused("active_content")
    text = ""
    for page in pages:
        text += f"{page.extract_text()}\n"
        if len(text) > _MOST_CHARACTERS:
            raise ConstanciaRefused("too_complex")
    return text, list(_codes_on(pages[:2]))


def _count(reader: PdfReader) -> int:
    try:
        return len(reader.pages)
    except LimitReachedError:
        raise ConstanciaRefused("too_many_pages") from None


def _is_active(root: Any) -> bool:
    """Whether it would do something when opened, or carries files."""
    names = _dictionary(root.get("/Names"))
    return (
        bool({"/JavaScript", "/EmbeddedFiles"} & names.keys())
        or bool({"/AA", "/AF", "/Collection"} & root.keys())
        or _acts(root.get("/OpenAction"))
        or "/XFA" in _dictionary(root.get("/AcroForm"))
    )


def _page_is_active(page: Any) -> bool:
    annotations = page.get("/Annots")
    every = annotations.get_object() if annotations is not None else ArrayObject()
    if "/AA" in page:
        return True
    return any(
        _acts(one.get("/A")) or "/AA" in one or one.get("/Subtype") in _CARRIES
        for one in map(_dictionary, every if isinstance(every, ArrayObject) else ())
    )


def _acts(action: Any) -> bool:
    """An array is a place to go to; a dictionary names what it does."""
    if action is None:
        return False
    action = action.get_object()
    if not isinstance(action, DictionaryObject):
        return False
    return action.get("/S", "/GoTo") not in _HARMLESS or "/Next" in action


def _dictionary(value: Any) -> DictionaryObject:
    value = value.get_object() if value is not None else None
    return value if isinstance(value, DictionaryObject) else DictionaryObject()


def _codes_on(pages: list[Any]) -> Iterator[str]:
    """Of the images alone. One that cannot be decoded is no reason to refuse the paper."""
    seen = 0
    for page in pages:
        for name in page.images.keys():  # noqa: SIM118 # not a mapping: iterating would decode all
            seen += 1
            if seen > _MOST_IMAGES:
                return
            try:
                image = page.images[name].image
                if image is not None and image.width * image.height <= _MOST_PIXELS:
                    yield from _codes(image.convert("L"))
            except (PyPdfError, OSError, ValueError, KeyError, RuntimeError, TypeError):
                continue


def of_photo(data: bytes) -> list[str]:
    """The text of every QR in a JPEG, PNG or WebP. Raises `ConstanciaRefused`."""
    Image.MAX_IMAGE_PIXELS = 2 * _MOST_PIXELS
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
            # A JPEG is decoded in a half or a quarter of its size, where that is enough.
            image.draft("L", (_PHOTO_SIDE, _PHOTO_SIDE))
            if image.width * image.height > 2 * _MOST_PIXELS:
                raise ConstanciaRefused("too_large")
            gray = image.convert("L")
    except Image.DecompressionBombError:
        raise ConstanciaRefused("too_large") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise ConstanciaRefused("not_a_photo") from None
    return list(_codes(gray))


def _codes(gray: Image.Image) -> Iterator[str]:
    for code in zxingcpp.read_barcodes(gray, formats=_QR):
        yield code.text
