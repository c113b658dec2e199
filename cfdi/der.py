"""Just enough DER (ITU-T X.690) to read the names in SAT's certificates whatever they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

_INTEGER, _OID, _SEQUENCE, _SET = 0x02, 0x06, 0x30, 0x31
_OCTET_STRING = 0x04
_VERSION = 0xA0
#: Tags of character strings. SAT writes Latin-1 into TeletexString (T.61 is what it should be).
_ENCODINGS = {
    0x0C: "utf-8",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}


class DerInvalid(ValueError):
    """Not the DER structure that was expected."""


class Node(NamedTuple):
    tag: int
    content: bytes


def name_of_issuer(tbs_certificate: bytes) -> Mapping[str, str]:
    """The issuer's attributes by dotted OID, from the signed part of a certificate."""
    return _name(_tbs_fields(tbs_certificate)[2])


def name_of_subject(tbs_certificate: bytes) -> Mapping[str, str]:
    """The subject's attributes by dotted OID. The first wins where one is repeated."""
    return _name(_tbs_fields(tbs_certificate)[4])


def is_encrypted_pkcs8(data: bytes) -> bool:
    """Whether it has the outer form of EncryptedPrivateKeyInfo (RFC 5958 §3)."""
    try:
        parts = list(_children(_only(data)))
        return [part.tag for part in parts] == [_SEQUENCE, _OCTET_STRING]
    except DerInvalid:
        return False


def _tbs_fields(tbs_certificate: bytes) -> list[Node]:
    """serialNumber, signature, issuer, validity, subject, … (RFC 5280 §4.1): no version."""
    fields = [node for node in _children(_only(tbs_certificate)) if node.tag != _VERSION]
    if [node.tag for node in fields[:5]] != [_INTEGER, *[_SEQUENCE] * 4]:
        raise DerInvalid("not the signed part of a certificate")
    return fields


def _name(name: Node) -> Mapping[str, str]:
    attributes: dict[str, str] = {}
    for group in _children(name):
        for pair in _children(group):
            parts = list(_children(pair))
            if len(parts) != 2 or parts[0].tag != _OID:
                raise DerInvalid("not an attribute of a name")
            attributes.setdefault(_dotted(parts[0].content), _text(parts[1]))
    return attributes


def _text(node: Node) -> str:
    return node.content.decode(_ENCODINGS.get(node.tag, "latin-1"), "replace").strip()


def _dotted(content: bytes) -> str:
    numbers, number = [], 0
    for byte in content:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    if not numbers:
        raise DerInvalid("empty object identifier")
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


def _only(data: bytes) -> Node:
    nodes = list(_nodes(data))
    if len(nodes) != 1 or nodes[0].tag != _SEQUENCE:
        raise DerInvalid("not one sequence")
    return nodes[0]


def _children(node: Node) -> Iterator[Node]:
    if node.tag not in {_SEQUENCE, _SET}:
        raise DerInvalid("not a sequence or set")
    return _nodes(node.content)


def _nodes(data: bytes) -> Iterator[Node]:
    position = 0
    while position < len(data):
        if position + 2 > len(data):
            raise DerInvalid("cut off")
        tag, length = data[position], data[position + 1]
        position += 2
        if length & 0x80:
            size = length & 0x7F
            if not 1 <= size <= 4:
                raise DerInvalid("length of no use")
            length = int.from_bytes(data[position : position + size], "big")
            position += size
        if position + length > len(data):
            raise DerInvalid("cut off")
        yield Node(tag, data[position : position + length])
        position += length
