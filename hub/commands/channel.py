"""channel, mail: what messages to buyers go by, and what of them came back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO, Final

import click

from hub.commands.output import (
    BadArgument,
    Failed,
    command,
    merchant_option,
    opened,
    opened_with,
    table,
    tell,
    the_merchant,
)
from hub.domain.phone import e164
from hub.steps.context import (
    ChannelBroken,
    Message,
    PostRefused,
    PostUnavailable,
    PostUncertain,
)
from hub.steps.returned import LIMIT, NotAReport, returned
from hub.store.channels import ChannelRow
from hub.wiring import Hub
from hub.work.channels import Messengers
from hub.work.channels.statuses import verify_token

KINDS: Final = ("sms", "whatsapp")
#: A URL or a token in a file of its own.
_LONGEST: Final = 4096

_kind_option = click.option("--kind", required=True, type=click.Choice(KINDS))


@click.group()
def channel() -> None:
    """What invitations go by beside e-mail: SMS, WhatsApp."""


@command(channel, "set")
@merchant_option
@_kind_option
@click.option(
    "--url-file", type=click.File("rb"), help="SMS: a file with the apprise URL; - stdin."
)
@click.option("--phone-id", default="", help="WhatsApp: the id of the phone that sends.")
@click.option(
    "--token-file", type=click.File("rb"), help="WhatsApp: a file with the token; - stdin."
)
@click.option(
    "--app-secret-file",
    type=click.File("rb"),
    help="WhatsApp: a file with the app's secret, if Meta is to tell what became of messages.",
)
@click.option("--template", default="", help="WhatsApp: the template's name.")
@click.option("--reminder-template", default="", help="WhatsApp: another one for reminders.")
@click.option("--language", default="es_MX", help="WhatsApp: the template's language.")
def channel_set(
    *,
    merchant_id: str,
    kind: str,
    url_file: BinaryIO | None,
    token_file: BinaryIO | None,
    app_secret_file: BinaryIO | None,
    **plain: str,
) -> None:
    """Keep the keys of a channel, encrypted, in the place of those there were. Reaches nothing."""
    if kind == "sms":
        settings: dict[str, str] = {"url": _secret("--url-file", url_file)}
    else:
        settings = {**plain, "token": _secret("--token-file", token_file)}
        if app_secret_file is not None:
            settings["app_secret"] = _secret("--app-secret-file", app_secret_file)
    with opened_with() as (hub, environment):
        the_merchant(hub, merchant_id)
        try:
            Messengers(environment.allow_private_hosts)(kind, settings)
        except ChannelBroken as broken:
            raise BadArgument("channel_invalid", str(broken)) from None
        with hub.ctx.store.transaction() as tx:
            tx.tenant(merchant_id).channels.set(kind, settings)
        hook = _hook(hub, merchant_id, settings)
    words = [f"{kind} is set; it is used where the rules name it: [canales]"]
    tell({"kind": kind, **hook}, "\n".join([*words, *_lines(hook)]))


@command(channel, "list")
@merchant_option
def channel_list(merchant_id: str) -> None:
    """Those there are, and what must be mended; never their keys."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.reading() as tx:
            rows = tx.tenant(merchant_id).channels.list()
        hooks = [_hook(hub, merchant_id, row.settings) for row in rows]
    data = [_shown(row) | hook for row, hook in zip(rows, hooks, strict=True)]
    words = table([(one["kind"], one["problem"] or "no problem known") for one in data])
    tell({"data": data}, "\n".join([words, *(line for hook in hooks for line in _lines(hook))]))


@command(channel, "test")
@merchant_option
@_kind_option
@click.option("--to", required=True, help="A number of yours; without a country, of Mexico.")
def channel_test(merchant_id: str, kind: str, to: str) -> None:
    """Send one message of example data, now."""
    number = e164(to)
    if not number:
        raise BadArgument("phone_invalid", "--to is no telephone number")
    with opened() as hub:
        the_merchant(hub, merchant_id)
        problem = _tried(hub, merchant_id, kind, number)
    if problem:
        raise Failed("channel_failed", problem)
    tell({"kind": kind, "sent": True}, "the provider took it")


@command(channel, "remove")
@merchant_option
@_kind_option
def channel_remove(merchant_id: str, kind: str) -> None:
    """Forget its keys. What the rules want to go by it goes by the next one they name."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.transaction() as tx:
            known = tx.tenant(merchant_id).channels.remove(kind)
    if not known:
        raise Failed("channel_not_found", f"the merchant has no channel {kind!r}: `channel list`")
    tell({"kind": kind}, f"{kind} is forgotten")


@click.group()
def mail() -> None:
    """Letters to buyers."""


@command(mail, "bounce")
@click.option("--file", "file", required=True, type=click.File("rb"), help="The report; - stdin.")
def mail_bounce(file: BinaryIO) -> None:
    """Take in a mail server's report (RFC 3464) that a letter did not arrive. Twice is once."""
    content = file.read(LIMIT + 1)
    with opened() as hub:
        try:
            kind = returned(hub.ctx, content)
        except NotAReport as error:
            raise Failed("not_a_report", f"nothing was changed: {error}") from None
    if kind is None:
        raise Failed("letter_not_found", "nothing was changed: it is about no letter of this hub")
    tell({"kind": kind}, f"written down: this {kind} did not arrive")


def _secret(option: str, file: BinaryIO | None) -> str:
    """What a file holds. Raises `BadArgument`; its message never repeats any of it."""
    if file is None:
        raise BadArgument("secret_missing", f"{option} is needed")
    content = file.read(_LONGEST + 1)
    try:
        text = content.decode().strip()
    except UnicodeDecodeError:
        text = ""
    if not text or len(content) > _LONGEST or not text.isprintable():
        raise BadArgument("secret_invalid", f"{option} names a file that holds no line of text")
    return text


def _shown(row: ChannelRow) -> dict[str, Any]:
    known: Mapping[str, str] = row.settings
    names = ("phone_id", "template", "reminder_template", "language")
    return {
        "kind": row.kind,
        "problem": row.problem,
        "since": row.problem_at,
        **{name: known[name] for name in names if known.get(name)},
    }


def _hook(hub: Hub, merchant_id: str, settings: Mapping[str, str]) -> dict[str, str]:
    """What Meta is to be given so that it tells what became of messages; {} without the secret."""
    secret = settings.get("app_secret", "")
    if not secret:
        return {}
    url = f"{hub.ctx.public_url}/webhooks/whatsapp/{merchant_id}"
    return {"webhook_url": url, "verify_token": verify_token(secret)}


def _lines(hook: Mapping[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in hook.items()]


def _tried(hub: Hub, merchant_id: str, kind: str, number: str) -> str:
    """What went wrong, in words; "" if nothing. A problem of the channel is kept, or forgotten."""
    with hub.ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        row, name = tenant.channels.get(kind), tenant.merchant().nombre
    if row is None:
        raise Failed("channel_not_found", f"the merchant has no channel {kind!r}: `channel set`")
    words = f"{name}: mensaje de prueba de tus invitaciones a facturar."
    message = Message(number, words, (name, "PRUEBA", "$0.00 MXN", "hoy"), "prueba", "invitation")
    problem, broken = "", ""
    try:
        hub.ctx.messenger(kind, row.settings).send(message)
    except ChannelBroken as error:
        problem = broken = str(error)
    except (PostRefused, PostUnavailable, PostUncertain) as error:
        problem = str(error)
    with hub.ctx.store.transaction() as tx:
        tx.tenant(merchant_id).channels.note(kind, broken)
    return problem
