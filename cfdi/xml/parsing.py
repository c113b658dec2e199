"""Foreign XML read without trusting it."""

from __future__ import annotations

from lxml import etree

#: A global invoice of ten thousand tickets stays below this.
MAX_BYTES = 16 * 1024 * 1024


class XmlRefused(ValueError):
    """Bytes that are not XML we are willing to read. The message never repeats them."""


def parse(data: bytes, *, max_bytes: int = MAX_BYTES) -> etree._Element:
    """The root of a document in UTF-8: no DTD, no entities, no network, at most `max_bytes`.

    Raises `XmlRefused`.
    """
    if not isinstance(data, bytes):
        raise XmlRefused("XML is read from bytes only")
    if len(data) > max_bytes:
        raise XmlRefused(f"larger than {max_bytes} bytes")
    # The parser is held to UTF-8 below, so no other encoding can hide a DTD from this look.
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise XmlRefused("a document type or entity is not accepted")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        return etree.fromstring(data.removeprefix(b"\xef\xbb\xbf"), parser)
    except (etree.XMLSyntaxError, ValueError):
        raise XmlRefused("not well-formed XML in UTF-8") from None


def serialize(root: etree._Element) -> bytes:
    """UTF-8 with its declaration."""
    return DECLARATION.encode() + etree.tostring(root, encoding="UTF-8")


DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
