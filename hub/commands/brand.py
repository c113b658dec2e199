"""brand: a merchant's logo, the names of its page, and what to put into its own site."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import click

from cfdi import pdf
from hub.commands.output import (
    BadArgument,
    Failed,
    command,
    content,
    merchant_option,
    opened,
    table,
    tell,
    the_merchant,
)
from hub.domain import addresses
from hub.domain.colors import contrast, palettes
from hub.steps import find
from hub.steps.brand import brand_of
from hub.store.brand import HOST, PAGE, PRINT, SLUG
from hub.store.errors import Refused, RowUnknown

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def brand() -> None:
    """How a merchant's page looks, and where it is (docs/branding.md)."""


@command(brand, "set")
@merchant_option
@click.option("--logo", "file", required=True, type=_FILE, help="PNG, JPEG or WebP.")
def brand_set(merchant_id: str, file: Path) -> None:
    """Show this logo on pages, in letters and on documents. Colours stand in the rules."""
    # Every process reads this file, and none but this command needs to read pictures.
    from hub.domain import logo  # noqa: PLC0415 - see above

    try:
        made = logo.prepare(content(file, logo.MAX_BYTES))
        pdf.Brand(made.print.image)
    except (logo.LogoUnusable, pdf.LogoRefused) as error:
        raise BadArgument("logo_unusable", str(error)) from error
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.transaction() as tx:
            logos = tx.tenant(merchant_id).logos
            logos.keep(PAGE, made.page.facts, made.page.image)
            logos.keep(PRINT, made.print.facts, made.print.image)
    facts, size = made.page.facts, len(made.page.image)
    note = "; it is nearly white, and hardly seen on white paper" if made.pale else ""
    tell(
        {"width": facts.width, "height": facts.height, "bytes": size, "pale": made.pale},
        f"kept, {facts.width} x {facts.height} pixels in {size} bytes on pages{note}",
    )


@command(brand, "remove")
@merchant_option
def brand_remove(merchant_id: str) -> None:
    """Show no logo any more."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.transaction() as tx:
            there = tx.tenant(merchant_id).logos.remove()
    tell({"removed": there}, "removed" if there else "there was no logo")


@command(brand, "show")
@merchant_option
def brand_show(merchant_id: str) -> None:
    """Logo, colours with their contrast, and addresses."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.reading() as tx:
            tenant = tx.tenant(merchant_id)
            looks, page = brand_of(tenant), find.address(hub.ctx, tenant)
            named = tenant.addresses.list()
    logo_shown = {"width": looks.logo.width, "height": looks.logo.height} if looks.logo else None
    shown = {
        "name": looks.name,
        "logo": logo_shown,
        "colors": _colors(looks.pagina.color),
        "page": page,
        "frames": list(looks.pagina.marcos),
        "addresses": [{"name": one.name, "kind": one.kind} for one in named],
    }
    tell(shown, table([(name, _words(value)) for name, value in shown.items()]))


def _words(value: Any) -> str:
    """What `brand show` has of one thing, for a person to read."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(one["name"] if isinstance(one, dict) else str(one) for one in value) or "-"
    return str(value or "-")


def _colors(color: str) -> dict[str, Any] | None:
    if not color:
        return None
    light, dark = palettes(color)
    return {
        "given": color,
        "light": light.accent,
        "dark": dark.accent,
        "contrast": round(min(contrast(one.accent, one.on_accent) for one in (light, dark)), 1),
    }


@command(brand, "snippet")
@merchant_option
def brand_snippet(merchant_id: str) -> None:
    """HTML for the merchant's own site: the page in a frame, and a plain link."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.reading() as tx:
            tenant = tx.tenant(merchant_id)
            looks, page = brand_of(tenant), find.address(hub.ctx, tenant)
    title = f"Factura tu compra en {looks.name}"
    frame = (
        f'<iframe src="{escape(page)}" title="{escape(title)}" '
        'style="width:100%;height:60rem;border:0" loading="lazy"></iframe>'
    )
    link = f'<a href="{escape(page)}">{escape(title)}</a>'
    marcos = looks.pagina.marcos
    note = "" if marcos else "\n\n[pagina] marcos of the rules names no site: no frame is shown yet"
    tell({"iframe": frame, "link": link, "frames": list(marcos)}, f"{frame}\n\n{link}{note}")


@brand.group()
def address() -> None:
    """Names of the merchant's page: a short name, a host of its own."""


@command(address, "add")
@merchant_option
@click.option("--slug", help="A short name, for addresses like /facturar/mi-tienda.")
@click.option("--host", help="A host that leads here, such as facturas.mitienda.mx.")
def address_add(merchant_id: str, slug: str | None, host: str | None) -> None:
    """Find the merchant's page by this name too. Links are made with the first host."""
    if (slug is None) == (host is None):
        raise BadArgument("address_missing", "give --slug or --host, one of them")
    try:
        name, kind = (
            (addresses.host(host), HOST) if host is not None else (addresses.slug(slug or ""), SLUG)
        )
    except addresses.AddressInvalid as error:
        raise BadArgument("address_invalid", str(error)) from error
    with opened() as hub:
        the_merchant(hub, merchant_id)
        if name == addresses.host_of(hub.ctx.public_url.partition("://")[2]):
            raise BadArgument("address_invalid", "that is the hub's own host")
        try:
            with hub.ctx.store.transaction() as tx:
                tenant = tx.tenant(merchant_id)
                if any(one.name == name for one in tenant.addresses.list()):
                    raise Failed("address_known", f"the merchant has {name} already")
                tenant.addresses.add(name, kind)
                page = find.address(hub.ctx, tenant)
        except Refused as error:
            raise Failed("address_taken", "that name is taken") from error
    tell({"name": name, "kind": kind, "page": page}, f"{name}; the page is {page}")


@command(address, "list")
@merchant_option
def address_list(merchant_id: str) -> None:
    """The merchant's names, the oldest first."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.reading() as tx:
            rows = tx.tenant(merchant_id).addresses.list()
    data = [{"name": one.name, "kind": one.kind, "created_at": one.created_at} for one in rows]
    tell({"data": data}, table([(one.name, one.kind) for one in rows]))


@command(address, "remove")
@merchant_option
@click.argument("name")
def address_remove(merchant_id: str, name: str) -> None:
    """Let a name go; addresses with it no longer lead here, and another merchant may take it."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        try:
            with hub.ctx.store.transaction() as tx:
                tx.tenant(merchant_id).addresses.remove(name.strip().lower())
        except RowUnknown as error:
            raise Failed("address_not_found", "the merchant has no such address") from error
    tell({"removed": True}, "removed")
