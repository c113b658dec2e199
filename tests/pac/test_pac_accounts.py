"""Settings become an account, or an error that says what to mend; a breaker; an authority."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cfdi.csd import Certificate, authority, check_csd
from cfdi.pac.accounts import (
    PROVIDERS,
    AccountInvalid,
    checked_settings,
    open_account,
    stamps_certificates_of,
    status_url,
)
from cfdi.pac.breaker import Breaker
from cfdi.pac.contract import Dedupe
from cfdi.pac.sandbox.authority import Authority
from cfdi.rfc import well_formed

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
SECRET = "s3cret-t0ken"


@pytest.mark.parametrize(
    ("provider", "environment", "settings", "word"),
    [
        ("finca", "test", {}, "finkok, sandbox, sw"),
        ("finkok", "live", {}, "user and the password"),
        ("finkok", "live", {"user": "u"}, "password"),
        ("finkok", "live", {"token": SECRET}, "token"),
        ("finkok", "live", {"user": "u", "password": SECRET, "url": "http://a.mx"}, "https"),
        ("sandbox", "live", {"url": "http://127.0.0.1:1"}, "test"),
        ("sw", "prod", {"token": SECRET}, "test or live"),
        ("sw", "live", {}, "token"),
        ("sw", "live", {"token": "  "}, "token"),
        ("sw", "live", {"user": "u"}, "password"),
        ("sw", "live", {"password": SECRET}, "user"),
        ("sw", "live", {"token": SECRET, "user": "u", "password": SECRET}, "either"),
        ("sw", "live", {"token": SECRET + "\nx"}, "copy it again"),
        ("sw", "live", {"token": SECRET, "tokn": "x"}, "tokn"),
        ("sw", "live", {"token": SECRET, "url": "http://services.sw.com.mx"}, "https"),
        ("sw", "live", {"token": SECRET, "url": "ftp://services.sw.com.mx"}, "https"),
        ("sw", "live", {"token": SECRET, "url": "services.sw.com.mx"}, "https"),
        ("sw", "live", {"token": SECRET, "url": "https://[::1"}, "address"),
        ("sw", "live", {"token": SECRET, "url": "https://a:99999"}, "address"),
        ("sw", "live", {"token": SECRET, "url": f"https://u:{SECRET}@a.mx"}, "user"),
        ("sw", "live", {"token": SECRET, "url": f"https://a.mx/?t={SECRET}"}, "query"),
        ("sw", "live", {"token": SECRET, "url": "https://127.0.0.1"}, "private"),
        ("sw", "live", {"token": SECRET, "url": "https://10.1.2.3"}, "private"),
        ("sw", "live", {"token": SECRET, "url": "https://169.254.169.254"}, "private"),
        ("sw", "live", {"token": SECRET, "url": "https://localhost"}, "private"),
        ("sw", "live", {"token": SECRET, "url": "https://localhost."}, "private"),
        ("sw", "live", {"token": SECRET, "url": "https://127.1"}, "private"),
        ("sw", "live", {"token": SECRET, "url": "https://0x7f.1"}, "private"),
        ("sw", "live", {"token": SECRET, "url": "https://2130706433"}, "private"),
        ("finkok", "live", {"user": "u", "password": f"{SECRET}\x01"}, "invisible"),
        ("finkok", "live", {"user": "u\ud800", "password": SECRET}, "invisible"),
        ("sw", "live", {"user": "u\x00", "password": SECRET}, "invisible"),
        ("sandbox", "test", {}, "url"),
        ("sandbox", "test", {"url": "http://example.com"}, "https"),
    ],
)
def test_wrong_settings_are_named_without_telling_a_secret(
    provider: str, environment: str, settings: dict[str, str], word: str
) -> None:
    with pytest.raises(AccountInvalid) as refused:
        open_account(provider, environment, settings, lambda: 0.0)
    assert word in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("provider", "environment", "settings", "url"),
    [
        ("sw", "live", {"token": SECRET}, "https://services.sw.com.mx"),
        ("sw", "test", {"token": SECRET}, "https://services.test.sw.com.mx"),
        ("finkok", "live", {"user": "u", "password": SECRET}, "https://facturacion.finkok.com"),
        (
            "finkok",
            "test",
            {"user": "u", "password": SECRET, "token": ""},
            "https://demo-facturacion.finkok.com",
        ),
        ("sw", "test", {"user": "u", "password": SECRET}, "https://services.test.sw.com.mx"),
        ("sandbox", "test", {"url": "http://127.0.0.1:9"}, "http://127.0.0.1:9"),
        ("sandbox", "test", {"url": "http://[::1]:9"}, "http://[::1]:9"),
        ("sandbox", "test", {"url": "https://pac.example.com"}, "https://pac.example.com"),
    ],
)
def test_good_settings_make_an_account(
    provider: str, environment: str, settings: dict[str, str], url: str
) -> None:
    assert checked_settings(provider, environment, settings)["url"] == url
    pac = open_account(provider, environment, settings, lambda: 0.0)
    assert pac.name == provider
    assert SECRET not in repr(pac)


def test_a_private_address_can_be_allowed() -> None:
    settings = {"token": SECRET, "url": "http://10.1.2.3:8080"}
    assert checked_settings("sw", "test", settings, allow_private=True)["url"] == settings["url"]


def test_only_sats_own_certificates_are_stamped_live() -> None:
    assert stamps_certificates_of("sw", "live", "sat")
    for other in ("sat-test", "sandbox", "unknown", ""):
        assert not stamps_certificates_of("sw", "live", other)
    assert stamps_certificates_of("sandbox", "test", "sandbox")
    assert stamps_certificates_of("sandbox", "test", "sat-test")
    assert not stamps_certificates_of("sandbox", "test", "sat")
    assert not stamps_certificates_of("sandbox", "live", "sat")


def test_the_terms_keep_the_quiet_period_the_design_asks_for() -> None:
    assert PROVIDERS["sw"].terms.in_flight_max >= timedelta(seconds=120)
    assert PROVIDERS["finkok"].terms.in_flight_max >= timedelta(seconds=120)
    assert PROVIDERS["finkok"].terms.dedupe is Dedupe.BYTES
    assert PROVIDERS["sandbox"].terms.in_flight_max == timedelta(seconds=2)


def test_documents_of_the_sandbox_are_looked_for_at_the_sandbox_alone() -> None:
    own = status_url("sandbox", {"url": "http://127.0.0.1:9/"})
    assert own == "http://127.0.0.1:9/ConsultaCFDIService.svc"
    for name in ("sw", "finkok"):
        assert status_url(name, {"url": "https://a.mx"}).startswith("https://consultaqr.")


def test_every_provider_has_an_rfc_for_each_environment() -> None:
    for provider in PROVIDERS.values():
        assert set(provider.rfc) == set(provider.environments)
        assert all(well_formed(rfc) for rfc in provider.rfc.values())


def test_a_breaker_opens_at_half_and_closes_after_a_good_probe() -> None:
    time = [0.0]
    breaker = Breaker(lambda: time[0], window=20, rest_seconds=30)
    for _ in range(9):
        breaker.record(trouble=True)
        breaker.record(trouble=False)
    assert breaker.admits()
    breaker.record(trouble=True)
    assert not breaker.admits()
    time[0] = 30
    assert [breaker.admits() for _ in range(3)] == [True, False, False]
    breaker.record(trouble=True)
    time[0] = 59
    assert not breaker.admits()
    time[0] = 60
    assert breaker.admits()
    breaker.record(trouble=False)
    assert [breaker.admits() for _ in range(3)] == [True, True, True]


def test_trouble_long_ago_is_forgotten() -> None:
    breaker = Breaker(lambda: 0.0, window=20)
    for trouble in [True] * 9 + [False] * 20 + [True] * 9:
        breaker.record(trouble=trouble)
    assert breaker.admits()


def test_many_threads_get_one_probe() -> None:
    time = [0.0]
    breaker = Breaker(lambda: time[0], window=2)
    breaker.record(trouble=True)
    time[0] = 30
    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(lambda _: breaker.admits(), range(64))) == 1


def test_a_certificate_of_the_sandbox_has_sats_shape(tmp_path: Path) -> None:
    made = Authority.create(tmp_path / "ca", now=NOW)
    issued = made.issue_csd("OÑO120726RX3", "ORGANICOS ÑAVEZ OSORIO", now=NOW)
    csd = check_csd(issued.cer_der, issued.key_der, issued.password, rfc="OÑO120726RX3", now=NOW)
    assert csd.certificate.nombre == "ORGANICOS ÑAVEZ OSORIO"
    assert len(csd.certificate.no_certificado) == 20
    assert authority(csd.certificate, (made.root_der,)) == "sandbox"
    assert authority(csd.certificate) == "unknown"
    assert issued.password.encode() not in issued.key_der


def test_without_a_unit_it_is_an_e_firma(tmp_path: Path) -> None:
    made = Authority.create(tmp_path / "ca", now=NOW)
    issued = made.issue_csd("EKU9003173C9", "ESCUELA KEMPER URGATE", now=NOW, unit=None)
    assert Certificate.read(issued.cer_der).is_fiel


def test_the_authority_is_kept_private_and_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "ca"
    with ThreadPoolExecutor(4) as pool:
        roots = list(pool.map(lambda _: Authority.open(folder, now=NOW).root_der, range(4)))
    assert len(set(roots)) == 1
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert [entry.name for entry in folder.parent.iterdir()] == ["ca"]
    assert Authority.load(folder).pac.no_certificado == Authority.load(folder).pac.no_certificado


def test_a_damaged_authority_is_an_error(tmp_path: Path) -> None:
    Authority.create(tmp_path / "ca", now=NOW)
    (tmp_path / "ca" / "ca.key").write_bytes(b"nothing")
    with pytest.raises(ValueError):
        Authority.load(tmp_path / "ca")
