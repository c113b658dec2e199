"""What `doctor` looks at."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests

from hub.domain.states import State
from hub.settings import Settings
from hub.steps.context import Context
from hub.steps.issuer import issuer_of
from hub.steps.shops import problem_of
from hub.steps.tell import MAIL
from hub.store.database import Tenant
from hub.store.errors import StoreUnavailable
from hub.store.invariants import violations
from hub.store.records import Connection, PacAccount
from hub.wiring import Hub

#: A certificate takes SAT's site and some days of attention to renew.
CSD_WARNING = timedelta(days=30)
#: Promises that are due so long show that workers do not keep up.
BEHIND_AFTER = timedelta(minutes=10)
#: Servers that make strangers wait (greylisting) take a letter within the hour.
UNTAKEN_AFTER = timedelta(hours=1)
#: Longer than the pause after a refusal, shorter than that of a reminder whose day was moved.
SOON = timedelta(minutes=10)
#: Room for a day of a busy shop, and for the log of a long transaction.
LEAST_FREE_MB = 200
STUCK_AFTER = timedelta(hours=1)
#: States that an invoice leaves by itself.
PASSING = (State.REQUESTED, State.SEALED, State.SENDING, State.UNKNOWN)
#: SAT refuses what is dated in the future; a minute is more than any clock that is kept drifts.
CLOCK_DRIFT = timedelta(seconds=60)
#: So long is the provider's clock waited for.
DATE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    detail: str


def examine(hub: Hub, settings: Settings) -> list[Check]:
    ctx = hub.ctx
    with ctx.store.reading() as tx:
        broken = violations(tx)
        dead = tx.outbox.dead(100)
        working = tx.leases.held("sweeper")
        merchants = [merchant.id for merchant in tx.merchants.list()]
    checks = [
        Check("invariants", not broken, "; ".join(broken) or "all hold"),
        Check("workers", working, "running" if working else "none: start `autofactura worker`"),
        _writing(ctx, settings),
        _queues(ctx),
        _letters(ctx),
        Check("dead letters", not dead, _given_up(len(dead)) if dead else "none"),
        _redis(hub),
    ]
    for merchant_id in merchants:
        checks += _merchant(ctx, settings, merchant_id)
    return checks


def _given_up(number: int) -> str:
    return (
        f"{number} promises were given up: look with `outbox list --dead`, mend what made them "
        "fail, then `outbox revive --all`"
    )


def _queues(ctx: Context) -> Check:
    with ctx.store.reading() as tx:
        due, oldest = tx.outbox.due(None), tx.outbox.next_due_at()
    behind = oldest is not None and ctx.clock.now() - oldest > BEHIND_AFTER
    waiting = ", ".join(f"{queue} {number}" for queue, number in due.items()) or "nothing is due"
    return Check(
        "queues", not behind, f"{waiting}; the oldest since {oldest}" if behind else waiting
    )


def _writing(ctx: Context, settings: Settings) -> Check:
    """By doing it: a full disk, or a database that only reads, lets everything else look well."""
    free = shutil.disk_usage(settings.var_dir).free // 1_000_000
    try:
        with ctx.store.transaction() as tx:
            tx.leases.hold("doctor", ctx.worker, 1)
    except StoreUnavailable as error:
        return Check("writing", ok=False, detail=f"the database takes nothing: {error}")
    return Check("writing", free >= LEAST_FREE_MB, f"works; {free} MB are free in VAR_DIR")


def _letters(ctx: Context) -> Check:
    now = ctx.clock.now()
    with ctx.store.reading() as tx:
        rows = tx.outbox.held_up("mail", now - UNTAKEN_AFTER, now + SOON)
    if not rows:
        return Check("letters", ok=True, detail="none waits to be taken")
    detail = f"{len(rows)} are not taken, for more than an hour: {rows[-1].error}"
    return Check("letters", ok=False, detail=detail)


def _redis(hub: Hub) -> Check:
    answers = hub.redis_answers()
    words = {True: "answers", False: "does not answer: workers poll", None: "none configured"}
    return Check("redis", answers is not False, words[answers])


def _merchant(ctx: Context, settings: Settings, merchant_id: str) -> list[Check]:
    now = ctx.clock.now()
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        until, account = tenant.csd.active_until(now), tenant.pac.active()
        stuck = _stuck(tenant, now)
        connections = [
            one
            for one in tenant.connections.list()
            if (bond := tenant.bonds.get(one.id)) is None or bond.state != "closed"
        ]
    checks = [_csd(merchant_id, until, now)]
    if account is None:
        checks.append(Check(f"pac of {merchant_id}", ok=False, detail="no account: `pac set`"))
    else:
        standing = ctx.pac(account).check()
        checks.append(Check(f"pac of {merchant_id}", standing.ok, standing.detail))
        checks.append(_clock(ctx, settings, merchant_id, account))
    checks += _channels(ctx, merchant_id)
    detail = f"not settled for an hour: {', '.join(stuck)}" if stuck else "all settled or on time"
    checks.append(Check(f"invoices of {merchant_id}", not stuck, detail))
    checks += [
        Check(f"connection {one.id}{_by(one)}", not problem, problem or "no problem known")
        for one in connections
        for problem in (problem_of(ctx, one),)
    ]
    return checks + [check for one in connections for check in _books(ctx, one)]


def _channels(ctx: Context, merchant_id: str) -> list[Check]:
    """Of each way beside e-mail that the rules name, or that has keys."""
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        known = {one.kind: one.problem for one in tenant.channels.list()}
        wanted = [one for one in issuer_of(tenant).rules.canales if one != MAIL]
    missing = {kind: "the rules name it: `channel set`" for kind in wanted if kind not in known}
    return [
        Check(f"channel {kind} of {merchant_id}", not problem, problem or "no problem known")
        for kind, problem in {**known, **missing}.items()
    ]


def _books(ctx: Context, connection: Connection) -> list[Check]:
    """Whether the last look into the platform's books found what is no sale, or another one."""
    with ctx.store.reading() as tx:
        told = tx.tenant(connection.merchant_id).books.get(connection.id)
    if told is None:
        return []
    detail = f"{told.entries} paid until {told.until:%Y-%m-%d %H:%M} UTC, all of them sales"
    if told.differences:
        detail = f"{len(told.differences)} of {told.entries} differ: `connection reconcile` again"
    return [Check(f"books of {connection.id}", not told.differences, detail)]


def _by(connection: Connection) -> str:
    return f" by app {connection.app_id}" if connection.app_id else ""


def _csd(merchant_id: str, until: datetime | None, now: datetime) -> Check:
    if until is None:
        return Check(f"csd of {merchant_id}", ok=False, detail="no valid one: `csd add`")
    left = until - now
    return Check(f"csd of {merchant_id}", left > CSD_WARNING, f"{left.days} days left")


def _stuck(tenant: Tenant, now: datetime) -> list[str]:
    return [
        f"{invoice.id} ({state.value})"
        for state in PASSING
        for invoice in tenant.invoices.list(limit=100, state=state)
        if now - invoice.updated_at > STUCK_AFTER
    ]


def _clock(ctx: Context, settings: Settings, merchant_id: str, account: PacAccount) -> Check:
    """By the Date of any answer of the provider (RFC 9110 §6.6.1), whatever it answers."""
    name = f"clock against the pac of {merchant_id}"
    url = account.settings.get("url") or settings.sandbox_url
    try:
        answer = requests.head(url, timeout=DATE_SECONDS, allow_redirects=False)
        told = parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC)
    except (requests.RequestException, KeyError, ValueError) as error:
        return Check(name, ok=False, detail=f"cannot be compared: {type(error).__name__}")
    drift = abs(ctx.clock.now() - told)
    return Check(name, drift <= CLOCK_DRIFT, f"{drift.total_seconds():.0f} s apart")
