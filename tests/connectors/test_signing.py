"""Signatures: constant work, hostile headers, several secrets."""

from __future__ import annotations

import base64

import pytest

from connectors.signing import hmac_sha256_base64, signed_with_any

BODY = b'{"id":1}'


def test_a_known_signature() -> None:
    """Test case 2 of https://www.rfc-editor.org/rfc/rfc4231."""
    digest = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    signature = hmac_sha256_base64(b"what do ya want for nothing?", "Jefe")
    assert base64.b64decode(signature).hex() == digest


@pytest.mark.parametrize("secrets", [["old", "new"], ["new", "old"], ["new"], ["", "new"]])
def test_any_secret_will_do(secrets: list[str]) -> None:
    assert signed_with_any(BODY, hmac_sha256_base64(BODY, "new"), secrets)


@pytest.mark.parametrize("secrets", [[], [""], ["other"], ["New"]])
def test_no_other_secret_will(secrets: list[str]) -> None:
    assert not signed_with_any(BODY, hmac_sha256_base64(BODY, "new"), secrets)


def test_an_empty_secret_signs_nothing() -> None:
    assert not signed_with_any(BODY, hmac_sha256_base64(BODY, ""), ["", "x"])


@pytest.mark.parametrize("header", ["", "é", "\udcff", "\x00", "a" * 1_000_000, " \t"])
def test_no_header_makes_it_raise(header: str) -> None:
    assert not signed_with_any(BODY, header, ["s", "ñ", "\udcff"])
