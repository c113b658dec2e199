"""`GET /` for whoever has just started this installation: what is running, where to go next."""

from __future__ import annotations

from collections.abc import Callable

from hub.settings import LOOPBACK, Settings, is_loopback
from hub.steps.context import Context
from hub.steps.look import purchase_of
from portal.buyer.settings import Home, HomeLink, HomePart, Words, plain_home

#: Enough to try every kind of sale the demo has.
DEMO_LINKS = 12


def only_here(settings: Settings) -> bool:
    """Whether nobody outside this machine can see our pages."""
    return is_loopback(settings.public_url) and settings.host in LOOPBACK


def home(
    ctx: Context,
    settings: Settings,
    redis_answers: Callable[[], bool | None],
    demo_merchant: Callable[[], str | None],
) -> Home:
    """Details only where the page cannot be seen from outside this machine."""
    if not only_here(settings):
        return plain_home()
    with ctx.store.reading() as tx:
        working = tx.leases.held("sweeper")
    return Home(
        title=Words("Tu autofactura está funcionando", "Your self-invoicing is running"),
        intro=Words(
            "Las ventas pagadas de tus tiendas se vuelven un enlace; tu cliente lo abre, da sus "
            "datos fiscales y recibe su CFDI. Nadie de tu equipo hace nada.",
            "Paid sales of your shops become a link; your customer opens it, gives the fiscal data "
            "and gets the CFDI. Your staff do nothing.",
        ),
        parts=(
            HomePart(Words("Página y webhooks", "Page and webhooks"), _here(settings), ok=True),
            HomePart(Words("Trabajadores", "Workers"), _workers(working), ok=working),
            HomePart(Words("Redis", "Redis"), *_redis(redis_answers())),
            HomePart(Words("Correo", "Mail"), _mail(settings), ok=True),
        ),
        links=(*_demo_links(ctx, demo_merchant()), *_NEXT),
    )


def _here(settings: Settings) -> Words:
    return Words(settings.public_url, settings.public_url)


def _workers(working: bool) -> Words:  # noqa: FBT001 - one call, one meaning
    if working:
        return Words("Sellan, timbran y envían.", "They seal, stamp and send.")
    return Words("Ninguno: inicia `autofactura worker`.", "None: start `autofactura worker`.")


def _redis(answers: bool | None) -> tuple[Words, bool | None]:  # noqa: FBT001 - as `redis_answers` says
    if answers is None:
        return (
            Words("No hay; se trabaja sin él, un poco más lento.", "None; works without, slower."),
            None,
        )
    if answers:
        return Words("Responde.", "Answers."), True
    return (
        Words("No responde; se trabaja sin él.", "Does not answer; work goes on without."),
        False,
    )


def _mail(settings: Settings) -> Words:
    if settings.smtp_url:
        return Words("Se envía por SMTP.", "Is sent by SMTP.")
    where = settings.var_dir / "mail"
    return Words(
        f"Sin SMTP_URL: los correos quedan en {where}", f"Without SMTP_URL: mails stay in {where}"
    )


def _demo_links(ctx: Context, merchant_id: str | None) -> list[HomeLink]:
    if merchant_id is None:
        return []
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        rows, _ = tenant.sales.list(limit=DEMO_LINKS)
        links = {row.id: tenant.links.current(row.id) for row in rows}
    shown = []
    for row in rows:
        link = links[row.id]
        if link is None:
            continue
        purchase = purchase_of(ctx, merchant_id, row.id)
        state = purchase.estado.value.replace("_", " ")
        words = f"${purchase.total:,.2f} {row.sale.currency}, {state}"
        title = Words(f"Compra {row.sale.number}", f"Purchase {row.sale.number}")
        shown.append(HomeLink(title, Words(words, words), ctx.link(link)))
    return shown


def _command(command: str, es: str, en: str) -> HomeLink:
    return HomeLink(Words(command, command), Words(es, en))


_NEXT = (
    _command("autofactura merchant create", "Da de alta tu empresa.", "Add your company."),
    _command(
        "autofactura connection create",
        "Conecta tu tienda; imprime la dirección del webhook.",
        "Connect your shop; prints the address for its webhooks.",
    ),
    _command("autofactura doctor", "Revisa que todo esté bien.", "Check that all is well."),
)
