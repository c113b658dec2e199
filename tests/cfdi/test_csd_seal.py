"""Certificates with whatever SAT put in them, and the seals they make."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cfdi import csd, der
from cfdi.cadena import cadena_original
from cfdi.comprobante import Comprobante
from cfdi.csd import Certificate, Csd, authority, check_csd, load_key, open_key
from cfdi.seal import seal, signed, verify
from cfdi.xml import parse

SAT_PASSWORD = "12345678a"  # published with SAT's test certificates


def test_every_published_certificate_is_read(shared: Path) -> None:
    """Also those with an Ñ, which the library for certificates refuses to name."""
    folder = shared / "sat/csd"
    listed = json.loads((folder / "certificates.json").read_text())
    listed = listed if isinstance(listed, list) else listed["certificates"]
    assert len(listed) > 30
    for entry in listed:
        read = Certificate.read((folder / f"{entry['file']}.cer").read_bytes())
        assert read.rfc == entry["rfc"]
        said = [each.strip() for each in entry["subject_2_5_4_45"].split("/")]
        assert [read.rfc, read.rfc_representante] == [*said, ""][:2]
        assert read.nombre == entry["cn"]
        assert read.no_certificado == entry["no"]
        assert read.is_fiel == (entry["kind"] == "FIEL")
        assert read.not_after.date().isoformat() == entry["not_after"]
        assert read.not_before.tzinfo is UTC
        assert authority(read) == "sat-test"


def test_every_published_pair_seals(shared: Path, document: Comprobante) -> None:
    keys = sorted((shared / "sat/csd").glob("*/*_csd_*.key"))
    assert len(keys) > 25
    for path in keys:
        cer = path.with_suffix(".cer").read_bytes()
        certificate = Certificate.read(cer)
        middle = certificate.not_before + (certificate.not_after - certificate.not_before) / 2
        checked = check_csd(cer, path.read_bytes(), SAT_PASSWORD, rfc=certificate.rfc, now=middle)
        emisor = replace(document.emisor, rfc=certificate.rfc)
        quick = Csd(checked.certificate, load_key(checked.key_der()))
        sealed = seal(replace(document, emisor=emisor), quick)
        assert verify(parse(sealed.xml)), path.name


def test_a_published_fiel_is_refused(shared: Path, now: datetime) -> None:
    cer = next((shared / "sat/csd/valid").glob("*_fiel_*.cer"))
    with pytest.raises(csd.CertificateIsFiel) as caught:
        check_csd(
            cer.read_bytes(),
            cer.with_suffix(".key").read_bytes(),
            SAT_PASSWORD,
            rfc="EKU9003173C9",
            now=now,
        )
    assert caught.value.code == "certificate_is_fiel"


def test_a_good_pair_is_accepted(pair: Any, password: str, now: datetime) -> None:
    checked = check_csd(pair.cer, pair.key, password, rfc=" eku9003173c9 ", now=now)
    assert checked.certificate.rfc == "EKU9003173C9"
    assert checked.certificate.no_certificado == "00001000000500000001"
    assert load_key(checked.key_der()).private_numbers() == pair.private.private_numbers()
    assert "PRIVATE" not in repr(checked)


def _pem(kind: str, data: bytes) -> bytes:
    body = base64.encodebytes(data).decode()
    return f"-----BEGIN {kind}-----\n{body}-----END {kind}-----\n".encode()


def test_pem_is_taken_too(pair: Any, password: str, now: datetime) -> None:
    cer, key = _pem("CERTIFICATE", pair.cer), _pem("ENCRYPTED PRIVATE KEY", pair.key)
    checked = check_csd(cer, key, password, rfc="EKU9003173C9", now=now)
    assert checked.certificate.der == pair.cer


def test_base64_without_the_lines_of_pem_is_taken(pair: Any, password: str, now: datetime) -> None:
    for before in (b"", b"\xef\xbb\xbf"):
        cer, key = before + base64.encodebytes(pair.cer), before + base64.b64encode(pair.key)
        checked = check_csd(cer, key, password, rfc="EKU9003173C9", now=now)
        assert checked.certificate.der == pair.cer


def test_certificate_and_key_in_one_file_of_pem(pair: Any, password: str, now: datetime) -> None:
    both = _pem("CERTIFICATE", pair.cer) + _pem("ENCRYPTED PRIVATE KEY", pair.key)
    swapped = _pem("ENCRYPTED PRIVATE KEY", pair.key) + _pem("CERTIFICATE", pair.cer)
    for one in (both, swapped):
        checked = check_csd(one, pair.key, password, rfc="EKU9003173C9", now=now)
        assert checked.certificate.der == pair.cer


def test_a_password_copied_with_blanks_opens(pair: Any, password: str, now: datetime) -> None:
    for written in (f" {password}", f"{password}\n", f"\t{password} "):
        assert check_csd(pair.cer, pair.key, written, rfc="EKU9003173C9", now=now)


def test_the_rfc_of_the_merchant_may_be_written_in_any_way(
    pair: Any, password: str, now: datetime
) -> None:
    for written in ("eku-900317-3c9", "RFC: EKU9003173C9", "ＥＫＵ９００３１７３Ｃ９"):
        assert check_csd(pair.cer, pair.key, password, rfc=written, now=now)


def test_the_representative_is_told_apart(pair: Any) -> None:
    read = Certificate.read(pair.cer)
    assert (read.rfc, read.rfc_representante) == ("EKU9003173C9", "VADA800927DJ3")


@pytest.mark.parametrize(
    ("days", "soon"), [(-1, False), (0, True), (29, True), (30, True), (31, False), (400, False)]
)
def test_thirty_days_before_its_end(make_pair: Any, now: datetime, days: int, soon: bool) -> None:
    end = now + timedelta(days=days)
    read = Certificate.read(make_pair(not_before=now - timedelta(days=900), not_after=end).cer)
    assert read.expires_soon(now) is soon


def test_a_password_in_latin_1_opens(private_key: rsa.RSAPrivateKey) -> None:
    secret = serialization.BestAvailableEncryption("contraseña".encode("latin-1"))
    data = private_key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, secret
    )
    assert open_key(data, "contraseña").private_numbers() == private_key.private_numbers()


def test_a_key_without_a_password_opens(private_key: rsa.RSAPrivateKey) -> None:
    data = Csd(None, private_key).key_der()  # type: ignore[arg-type] # only its key is used
    assert open_key(data, "whatever").private_numbers() == private_key.private_numbers()


Breakage = Callable[[dict[str, Any], Any], None]


def _another_key(call: dict[str, Any], make_pair: Any) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    call["key"] = make_pair(key=key).key


def _elliptic_key(call: dict[str, Any], make_pair: Any) -> None:
    call["key"] = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _swap(call: dict[str, Any], make_pair: Any) -> None:
    call["cer"], call["key"] = call["key"], call["cer"]


def _swap_in_pem(call: dict[str, Any], make_pair: Any) -> None:
    cer, key = _pem("CERTIFICATE", call["cer"]), _pem("ENCRYPTED PRIVATE KEY", call["key"])
    call["cer"], call["key"] = key, cer


def _keystore(call: dict[str, Any], make_pair: Any) -> None:
    """The .pfx that browsers and Windows export."""
    call["key"] = pkcs12.serialize_key_and_certificates(
        b"x",
        make_pair().private,
        None,
        None,
        serialization.BestAvailableEncryption(call["password"].encode()),
    )


BREAKAGES: dict[str, tuple[type[csd.CsdRefused], Breakage]] = {
    "empty": (csd.NotACertificate, lambda call, make: call.update(cer=b"")),
    "garbage": (csd.NotACertificate, lambda call, make: call.update(cer=b"\x30\x82garbage")),
    "cut off": (csd.NotACertificate, lambda call, make: call.update(cer=call["cer"][:-9])),
    "huge": (csd.NotACertificate, lambda call, make: call.update(cer=b"\x30" * 5_000_000)),
    "pem garbage": (csd.NotACertificate, lambda call, make: call.update(cer=b"-----BEGIN x")),
    "swapped": (csd.FilesSwapped, _swap),
    "swapped, in PEM": (csd.FilesSwapped, _swap_in_pem),
    "two keys": (csd.NotACertificate, lambda call, make: call.update(cer=call["key"])),
    "a picture": (csd.NotACertificate, lambda call, make: call.update(cer=b"\x89PNG\r\n" * 99)),
    "of the representative": (
        csd.CertificateOfAnotherRfc,
        lambda call, make: call.update(rfc="VADA800927DJ3"),
    ),
    "huge key": (csd.NotAPrivateKey, lambda call, make: call.update(key=b"\x30" * 5_000_000)),
    "huge text": (csd.NotAPrivateKey, lambda call, make: call.update(key=b"A" * 5_000_000)),
    "key cut off": (csd.NotAPrivateKey, lambda call, make: call.update(key=call["key"][:-9])),
    "keystore": (csd.NotAPrivateKey, _keystore),
    "password with a surrogate": (
        csd.PasswordWrong,
        lambda call, make: call.update(password="\ud800"),
    ),
    "not of SAT": (
        csd.NotIssuedBySat,
        lambda call, make: call.update(cer=make(number="12345").cer),
    ),
    "fiel": (csd.CertificateIsFiel, lambda call, make: call.update(cer=make(unit="").cer)),
    "fiel with a branch": (
        csd.CertificateIsFiel,
        lambda call, make: call.update(cer=make(enciphers=True).cer),
    ),
    "another rfc": (csd.CertificateOfAnotherRfc, lambda call, make: call.update(rfc="XXX")),
    "no rfc": (
        csd.CertificateOfAnotherRfc,
        lambda call, make: call.update(cer=make(rfc="").cer),
    ),
    "expired": (
        csd.CertificateExpired,
        lambda call, make: call.update(now=call["now"] + timedelta(days=366)),
    ),
    "not yet": (
        csd.CertificateNotYetValid,
        lambda call, make: call.update(now=call["now"] - timedelta(days=2)),
    ),
    "wrong password": (csd.PasswordWrong, lambda call, make: call.update(password="x")),
    "no password": (csd.PasswordWrong, lambda call, make: call.update(password="")),
    "pem wrong password": (
        csd.PasswordWrong,
        lambda call, make: call.update(
            key=_pem("ENCRYPTED PRIVATE KEY", call["key"]), password="x"
        ),
    ),
    "empty key": (csd.NotAPrivateKey, lambda call, make: call.update(key=b"")),
    "garbage key": (csd.NotAPrivateKey, lambda call, make: call.update(key=b"garbage")),
    "certificate as key": (
        csd.NotAPrivateKey,
        lambda call, make: call.update(key=call["cer"]),
    ),
    "elliptic key": (csd.NotRsa, _elliptic_key),
    "key of another": (csd.KeyOfAnotherCertificate, _another_key),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_each_mistake_has_its_own_name(
    name: str, pair: Any, make_pair: Any, password: str, now: datetime
) -> None:
    expected, breakage = BREAKAGES[name]
    call = {
        "cer": pair.cer,
        "key": pair.key,
        "password": password,
        "rfc": "EKU9003173C9",
        "now": now,
    }
    breakage(call, make_pair)
    with pytest.raises(csd.CsdRefused) as caught:
        check_csd(**call)
    assert type(caught.value) is expected
    assert str(caught.value)
    for secret in (password, "EKU9003173C9", "VADA800927DJ3", "PRIVATE KEY"):
        assert secret not in str(caught.value)


def test_the_codes_are_distinct() -> None:
    kinds = csd.CsdRefused.__subclasses__()
    assert len({kind.code for kind in kinds}) == len(kinds) > 8


def test_authority(make_pair: Any, pair: Any) -> None:
    read = Certificate.read
    sat = make_pair(issuer="SERVICIO DE ADMINISTRACION TRIBUTARIA").cer
    accented = make_pair(issuer="Servicio de Administración Tributaria").cer
    assert authority(read(sat)) == authority(read(accented)) == "sat"
    assert authority(read(make_pair(issuer="AC UAT").cer)) == "sat-test"
    assert authority(read(pair.cer)) == "unknown"
    # The fixture signs all with one key, so any of them stands for its root.
    assert authority(read(sat), [pair.cer]) == "sandbox"
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert authority(read(sat), [make_pair(key=stranger).cer]) == "sat"


@given(st.binary(max_size=300))
def test_reading_der_never_breaks(data: bytes) -> None:
    for read in (der.name_of_issuer, der.name_of_subject):
        try:
            read(data)
        except der.DerInvalid:
            continue
    assert der.is_encrypted_pkcs8(data) in {True, False}


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # a damaged number may be negative
@settings(max_examples=300)
@example(at=15, value=0x80)  # a negative number
@example(at=12, value=1)  # another version of X.509
@given(at=st.integers(min_value=0), value=st.integers(0, 255))
def test_a_damaged_certificate_is_read_or_refused(pair: Any, at: int, value: int) -> None:
    data = bytearray(pair.cer)
    data[at % len(data)] = value
    try:
        Certificate.read(bytes(data))
    except csd.CsdRefused:
        return


@settings(max_examples=30, deadline=None)
@given(at=st.integers(min_value=0), value=st.integers(0, 255))
def test_a_damaged_key_is_opened_or_refused(pair: Any, password: str, at: int, value: int) -> None:
    data = bytearray(pair.key)
    data[at % len(data)] = value
    try:
        open_key(bytes(data), password)
    except csd.CsdRefused:
        return


def test_a_sealed_document_verifies(document: Comprobante, pair: Any) -> None:
    sealed = seal(document, pair.csd)
    root = parse(sealed.xml)
    assert root.get("Sello") == sealed.sello
    assert base64.b64decode(str(root.get("Certificado"))) == pair.cer
    assert root.get("NoCertificado") == "00001000000500000001"
    assert cadena_original(root) == sealed.cadena
    assert verify(root)


def test_a_seal_is_the_same_every_time(document: Comprobante, pair: Any) -> None:
    assert seal(document, pair.csd) == seal(document, pair.csd)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Total", "348.01"),
        ("Folio", "102"),
        ("Sello", ""),
        ("Sello", "AAAA"),
        ("Sello", "ñ"),
        ("Certificado", "AAAA"),
        ("Certificado", "no base64"),
        ("NoCertificado", "00001000000500000002"),
    ],
)
def test_a_changed_document_does_not_verify(
    document: Comprobante, pair: Any, name: str, value: str
) -> None:
    root = parse(seal(document, pair.csd).xml)
    root.set(name, value)
    assert not verify(root)


def test_the_number_must_be_that_of_the_certificate_inside(
    document: Comprobante, pair: Any
) -> None:
    """Its seal is good, but it names another certificate than the one it carries."""
    other = "00001000000500000002"
    misnamed = Csd(replace(pair.csd.certificate, no_certificado=other), pair.private)
    root = parse(seal(document, misnamed).xml)
    assert signed(pair.csd.certificate, str(root.get("Sello")), cadena_original(root))
    assert not verify(root)


def test_an_unsealed_document_does_not_verify() -> None:
    assert not verify(parse(b"<a/>"))


def test_nobody_seals_for_another(document: Comprobante, make_pair: Any) -> None:
    with pytest.raises(csd.CertificateOfAnotherRfc):
        seal(document, make_pair("CACX7605101P8").csd)


def test_a_second_implementation_makes_the_same_seal(
    shared: Path, document: Comprobante, now: datetime
) -> None:
    from satcfdi.models import Signer  # noqa: PLC0415 # opens its database on import

    cer = shared / "sat/csd/valid/EKU9003173C9_csd_30001000000500003416.cer"
    data = cer.read_bytes(), cer.with_suffix(".key").read_bytes(), SAT_PASSWORD
    sealed = seal(document, check_csd(*data, rfc="EKU9003173C9", now=now))
    assert Signer.load(*data).sign_sha256(sealed.cadena.encode()) == sealed.sello
