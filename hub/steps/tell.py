"""tell: an invitation or a reminder goes to the buyer by the ways the merchant wants.

The ways stand in the order of the rules. By default the first by which it goes is the only one:
the next serves where the buyer gave no address for it, where it was refused for good, or while the
merchant has to mend it. With `[canales] modo = "todos"` it goes by each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from hub.domain.email import check_email
from hub.domain.phone import e164
from hub.domain.purchase import Purchase
from hub.domain.sale import Buyer
from hub.steps.context import ChannelBroken, Context, Letter, Message
from hub.steps.issuer import Issuer
from hub.steps.later import KEYS_PAUSE, RunLater, paused
from hub.steps.mailing import Handed, Parcel, mail_once, message_id, send_once
from hub.store.brand import PRINT
from hub.store.channels import ChannelRow
from hub.store.database import Tenant
from hub.store.records import LinkRow, SaleRow

log = structlog.get_logger()

MAIL: Final = "correo"
#: Nothing goes by another way after these: it arrived, or may have.
_ENOUGH: Final = frozenset({Handed.TAKEN, Handed.DOUBTFUL, Handed.WITHHELD})


@dataclass(frozen=True, slots=True)
class Occasion:
    """What there is to tell, and of which sale. `name`: "invitation" or "reminder"."""

    name: str
    merchant_id: str
    row: SaleRow
    link: LinkRow
    purchase: Purchase
    issuer: Issuer
    #: Asked in the transaction that begins each letter or message.
    unless: Callable[[Tenant], bool]


#: One way to the buyer: hands over, and says what became of it.
Way = Callable[[], Handed]


def tell(ctx: Context, occasion: Occasion) -> bool:
    """Whether there is any way to this buyer. Repeating it sends nothing twice.

    Raises `RunLater` while what was not taken may still be.
    """
    later: RunLater | None = None
    found, became = False, set()
    for way in _ways(ctx, occasion):
        found = True
        try:
            handed = way()
        except RunLater as pause:
            if not occasion.issuer.rules.canales_todos:
                raise
            later = later or pause
            continue
        became.add(handed)
        if handed in _ENOUGH and not occasion.issuer.rules.canales_todos:
            return True
    if later is None and Handed.BROKEN in became:
        later = paused(ctx.clock.now(), KEYS_PAUSE, occasion.row.id, "a channel needs mending")
    if later is not None:
        raise later
    return found


def _ways(ctx: Context, occasion: Occasion) -> Iterator[Way]:
    """Those the rules name and the buyer has an address for, in their order."""
    buyer = occasion.row.sale.buyer
    with ctx.store.reading() as tx:
        tenant = tx.tenant(occasion.merchant_id)
        channels = {one.kind: one for one in tenant.channels.list()}
        wanted = {
            name: address
            for name in occasion.issuer.rules.canales
            if (address := address_of(buyer, name))
            and not tenant.optouts.has(address)
            and not _came_back(tenant, occasion, address)
        }
    for name, address in wanted.items():
        if name == MAIL:
            yield partial(_by_mail, ctx, occasion, address)
        elif name in channels:
            yield partial(_by_channel, ctx, occasion, channels[name], address)


def address_of(buyer: Buyer, way: str) -> str:
    """Where that way leads to this buyer; "" if nowhere."""
    if way == MAIL:
        address, wrong = check_email(buyer.email)
        return "" if wrong else address
    return e164(buyer.phone, buyer.country)


def _came_back(tenant: Tenant, occasion: Occasion, address: str) -> bool:
    """A reminder does not follow an invitation that did not arrive."""
    if occasion.name == "invitation":
        return False
    return any(one.address == address for one in tenant.bounces.of_sale(occasion.row.id))


def _by_mail(ctx: Context, occasion: Occasion, address: str) -> Handed:
    sale_id = occasion.row.id
    with ctx.store.reading() as tx:
        tenant = tx.tenant(occasion.merchant_id)
        blinded, logo = tenant.optouts.blinded(address), tenant.logos.image(PRINT) or b""
    leaving = ctx.passes.leaving(occasion.merchant_id, blinded)
    leave = f"{ctx.origin(occasion.link.host)}/baja/{leaving}"
    write = ctx.letters.invitation if occasion.name == "invitation" else ctx.letters.reminder
    url, language = _url(ctx, occasion), _language(occasion)
    wording = write(occasion.purchase, url, language, leave=leave, logo=logo)
    letter = Letter(
        to=address,
        subject=wording.subject,
        text=wording.text,
        html=wording.html,
        images=wording.images,
        message_id=message_id(ctx, occasion.name, sale_id, address),
        reply_to=occasion.issuer.rules.correo,
        sender_name=occasion.purchase.merchant_name,
        headers=_leaving_headers(leave),
    )
    return mail_once(
        ctx,
        occasion.merchant_id,
        occasion.name,
        sale_id,
        letter,
        sale_id=sale_id,
        unless=occasion.unless,
    )


def _url(ctx: Context, occasion: Occasion) -> str:
    return ctx.link(occasion.link)


def _language(occasion: Occasion) -> str:
    return occasion.issuer.rules.idioma


def _leaving_headers(url: str) -> dict[str, str]:
    """Where its reader says that no more of these are wanted (RFC 8058 §3.1). The DKIM signature of
    the relay has to cover both."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _by_channel(ctx: Context, occasion: Occasion, channel: ChannelRow, phone: str) -> Handed:
    kind = f"{occasion.name}.{channel.kind}"
    known_as = message_id(ctx, kind, occasion.row.id, phone)
    url = _url(ctx, occasion)
    words = ctx.letters.short(occasion.name, occasion.purchase, url, _language(occasion))
    message = Message(
        phone, words.text, words.parameters, occasion.link.token, occasion.name, known_as
    )
    parcel = Parcel(occasion.merchant_id, kind, occasion.row.id, known_as, occasion.row.id, phone)
    send = partial(_send, ctx, occasion.merchant_id, channel, message)
    return send_once(ctx, parcel, send, unless=occasion.unless)


def _send(ctx: Context, merchant_id: str, channel: ChannelRow, message: Message) -> None:
    """Raises as `Messenger.send`; what only a person can mend is kept with the channel."""
    try:
        ctx.messenger(channel.kind, channel.settings).send(message)
    except ChannelBroken as broken:
        log.warning("channel_broken", channel=channel.kind, reason=str(broken))
        _note(ctx, merchant_id, channel, str(broken))
        raise
    _note(ctx, merchant_id, channel, "")


def _note(ctx: Context, merchant_id: str, channel: ChannelRow, problem: str) -> None:
    if channel.problem != problem:
        with ctx.store.transaction() as tx:
            tx.tenant(merchant_id).channels.note(channel.kind, problem)
