"""merchant, csd, pac, rules: who issues, with which certificate, through whom, by which rules."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import click

from cfdi import catalogs, csd, rfc
from cfdi.pac.accounts import (
    LIVE,
    AccountInvalid,
    checked_settings,
    stamps_certificates_of,
)
from cfdi.pac.sandbox.authority import Authority
from hub.commands.output import (
    BadArgument,
    Failed,
    command,
    content,
    merchant_option,
    opened,
    opened_with,
    table,
    tell,
    the_merchant,
)
from hub.domain.rules import RulesInvalid, parse
from hub.settings import Settings
from hub.steps.live import PracticeUnderWay, leave_practice
from hub.steps.review import set_rules
from hub.store.records import Merchant
from hub.wiring import Hub

#: A certificate or a key has some 2 KB.
CSD_MAX = 64 * 1024
RULES_MAX = 1024 * 1024


@click.group()
def merchant() -> None:
    """Who issues the invoices."""


@command(merchant, "create")
@click.option("--rfc", "rfc_", required=True)
@click.option("--nombre", required=True, help="As in the Constancia, without S.A. de C.V.")
@click.option("--regimen", required=True, help="Key of c_RegimenFiscal, e.g. 601.")
@click.option("--cp", required=True, help="Postal code of the place of issue.")
def merchant_create(rfc_: str, nombre: str, regimen: str, cp: str) -> None:
    """Add a merchant; prints its id."""
    rfc_, nombre = rfc_.strip().upper(), " ".join(nombre.upper().split())
    _check_merchant(rfc_, nombre, regimen, cp)
    with opened() as hub, hub.ctx.store.transaction() as tx:
        if any(known.rfc == rfc_ for known in tx.merchants.list()):
            raise Failed("merchant_exists", "there is a merchant with that RFC already")
        made = tx.merchants.create(rfc=rfc_, nombre=nombre, regimen=regimen, codigo_postal=cp)
        # Until `pac set` says otherwise: documents without fiscal value, to practise with.
        tx.tenant(made.id).pac.set("sandbox", "test", {})
    tell({"id": made.id}, made.id)


def _check_merchant(rfc_: str, nombre: str, regimen: str, cp: str) -> None:
    person = rfc.person(rfc_)
    known = catalogs.REGIMEN_FISCAL.get(regimen)
    if not rfc.well_formed(rfc_) or person is None:
        raise BadArgument(
            "rfc_invalid", "--rfc is no RFC: 12 characters for a company, 13 for a person"
        )
    if rfc_ in {rfc.GENERIC_NATIONAL, rfc.GENERIC_FOREIGN}:
        raise BadArgument("rfc_invalid", "--rfc is a generic RFC, which cannot issue invoices")
    if not nombre.isprintable() or not 1 <= len(nombre) <= 300 or "|" in nombre:
        raise BadArgument("nombre_invalid", "--nombre must have 1 to 300 characters without |")
    if known is None or not (known.moral if person == "moral" else known.fisica):
        raise BadArgument(
            "regimen_invalid", f"--regimen {regimen!r} is not one of a persona {person}"
        )
    if not catalogs.codigo_postal_exists(cp):
        raise BadArgument("cp_invalid", f"--cp {cp!r} is not in SAT's catalog of postal codes")


@command(merchant, "list")
def merchant_list() -> None:
    """All merchants."""
    with opened() as hub, hub.ctx.store.reading() as tx:
        merchants = tx.merchants.list()
    tell(
        {"data": [asdict(one) for one in merchants]},
        table([(one.id, one.rfc, one.nombre) for one in merchants]),
    )


@command(merchant, "show")
@click.argument("merchant_id")
def merchant_show(merchant_id: str) -> None:
    """A merchant, its certificates, PAC account and connections."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.reading() as tx:
            tenant = tx.tenant(merchant_id)
            one, account = tenant.merchant(), tenant.pac.active()
            certificates, connections = tenant.csd.list(), tenant.connections.list()
    shown = asdict(one) | {
        "csd": [
            {
                "no_certificado": row.no_certificado,
                "until": row.not_after,
                "authority": row.authority,
            }
            for row in certificates
        ],
        "pac": {"provider": account.provider, "environment": account.environment}
        if account
        else None,
        "connections": [
            {"id": row.id, "platform": row.platform, "account": row.account, "problem": row.problem}
            for row in connections
        ],
    }
    tell(shown, _shown(one, shown))


def _shown(one: Merchant, shown: dict[str, object]) -> str:
    return "\n".join(
        [f"{one.nombre} ({one.rfc})", *(f"{name}: {shown[name]}" for name in ("csd", "pac"))]
    )


@click.group(name="csd")
def csd_group() -> None:
    """The certificate the merchant seals with (Certificado de Sello Digital)."""


@command(csd_group, "add")
@merchant_option
@click.option("--cer", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--password", envvar="CSD_PASSWORD", required=True, help="Better in CSD_PASSWORD than typed."
)
def csd_add(merchant_id: str, cer: Path, key: Path, password: str) -> None:
    """Check the pair and keep it, encrypted; the password is not kept."""
    with opened_with() as (hub, settings):
        the_merchant(hub, merchant_id)
        add_csd(
            hub,
            settings,
            merchant_id,
            cer=content(cer, CSD_MAX),
            key=content(key, CSD_MAX),
            password=password,
        )


def add_csd(
    hub: Hub, settings: Settings, merchant_id: str, *, cer: bytes, key: bytes, password: str
) -> None:
    with hub.ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        one, account = tenant.merchant(), tenant.pac.active()
    try:
        pair = csd.check_csd(cer, key, password, rfc=one.rfc, now=hub.ctx.clock.now())
    except csd.CsdRefused as error:
        raise Failed(error.code, str(error)) from error
    authority = csd.authority(pair.certificate, extra_roots=_sandbox_roots(settings))
    if account and not stamps_certificates_of(account.provider, account.environment, authority):
        raise Failed(
            "csd_not_for_pac",
            f"a certificate of authority {authority!r} is refused by the merchant's "
            f"{account.environment} account at {account.provider}",
        )
    certificate = pair.certificate
    with hub.ctx.store.transaction() as tx:
        tx.tenant(merchant_id).csd.add(
            no_certificado=certificate.no_certificado,
            certificate_der=certificate.der,
            key_der=pair.key_der(),
            not_before=certificate.not_before,
            not_after=certificate.not_after,
            authority=authority,
        )
    soon = certificate.expires_soon(hub.ctx.clock.now())
    tell(
        {
            "no_certificado": certificate.no_certificado,
            "authority": authority,
            "until": certificate.not_after,
            "expires_soon": soon,
        },
        f"CSD {certificate.no_certificado}, valid until {certificate.not_after:%Y-%m-%d}"
        + (": ask SAT for the next one now" if soon else ""),
    )


def _sandbox_roots(settings: Settings) -> tuple[bytes, ...]:
    """The authority of this installation's own sandbox, where it was started once."""
    try:
        return (Authority.load(settings.var_dir / "sandbox").root_der,)
    except (OSError, ValueError):
        return ()


@click.group()
def pac() -> None:
    """The certification provider (PAC) that stamps."""


@command(pac, "set")
@merchant_option
@click.option("--provider", required=True)
@click.option("--env", "environment", type=click.Choice(["test", "live"]), required=True)
@click.option("--url", default="")
@click.option("--token", default="", envvar="PAC_TOKEN")
@click.option("--user", "--username", "user", default="")
@click.option("--password", default="", envvar="PAC_PASSWORD")
def pac_set(merchant_id: str, provider: str, environment: str, **given: str) -> None:
    """Use this account from now on. Documents already sent stay with the account they went to."""
    with opened_with() as (hub, settings):
        the_merchant(hub, merchant_id)
        checked = _checked(settings, provider, environment, given)
        with hub.ctx.store.transaction() as tx:
            tenant = tx.tenant(merchant_id)
            certificate = tenant.csd.active(hub.ctx.clock.now())
            if certificate and not stamps_certificates_of(
                provider, environment, certificate.authority
            ):
                raise Failed(
                    "csd_not_for_pac",
                    f"the merchant's certificate is of authority {certificate.authority!r}, which "
                    f"a {environment} account at {provider} refuses: add the right CSD first",
                )
            try:
                freed = leave_practice(tenant) if environment == LIVE else 0
            except PracticeUnderWay as error:
                raise Failed("tests_under_way", f"{error}: wait or settle them first") from error
            account = tenant.pac.set(provider, environment, checked)
    note = f"; {freed} sales with test invoices are open again" if freed else ""
    tell(
        {"id": account.id, "provider": provider, "environment": environment, "freed": freed},
        f"{provider} ({environment}){note}",
    )


def _checked(
    settings: Settings, provider: str, environment: str, given: dict[str, str]
) -> dict[str, str]:
    """The account of the installation's own sandbox names no address: that follows PORT."""
    own = provider == "sandbox" and not given["url"]
    address = {"url": settings.sandbox_url} if own else {}
    try:
        checked = checked_settings(
            provider, environment, given | address, allow_private=settings.allow_private_hosts
        )
    except AccountInvalid as error:
        raise BadArgument("account_invalid", str(error)) from error
    return {name: value for name, value in checked.items() if name not in address}


@command(pac, "test")
@merchant_option
def pac_test(merchant_id: str) -> None:
    """Reach the provider with the account's credentials, stamping nothing."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.reading() as tx:
            account = tx.tenant(merchant_id).pac.active()
        if account is None:
            raise Failed("no_pac", "the merchant has no PAC account: `pac set`")
        standing = hub.ctx.pac(account).check()
    if not standing.ok:
        raise Failed("pac_not_usable", standing.detail)
    tell(asdict(standing), standing.detail)


@click.group()
def rules() -> None:
    """What the merchant decided: SAT keys, payment forms, window, series (docs/rules.md)."""


@command(rules, "set")
@merchant_option
@click.option("--file", "file", required=True, type=click.File("rb"), help="TOML; - for stdin.")
def rules_set(merchant_id: str, file: BinaryIO) -> None:
    """Check and store the rules; sales that waited for them are looked at again."""
    data = file.read(RULES_MAX + 1)
    if len(data) > RULES_MAX:
        raise Failed("rules_invalid", "the file is larger than 1 MiB")
    try:
        text = data.decode("utf-8")
        parse(text)
    except UnicodeDecodeError as error:
        raise Failed("rules_invalid", "the file is not UTF-8 text") from error
    except RulesInvalid as error:
        details = [{"path": path, "message": message} for path, message in error.problems]
        raise Failed("rules_invalid", "the rules were not stored", details) from error
    with opened() as hub:
        freed = set_rules(hub.ctx, the_merchant(hub, merchant_id), text)
    tell({"freed": freed}, f"stored; {freed} waiting sales can be invoiced now")


@command(rules, "show")
@merchant_option
def rules_show(merchant_id: str) -> None:
    """The rules as they were given."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.reading() as tx:
            text = tx.tenant(merchant_id).rules.current()
    tell({"rules": text}, text)
