"""Puts the parts together: from settings to a hub that web, workers and commands run on."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from cfdi.pac.accounts import open_account, status_url
from cfdi.pac.contract import Pac
from cfdi.sat.status import SatStatus
from connectors.registry import connectors
from hub.clock import Clock, SystemClock
from hub.settings import Settings, SettingsInvalid
from hub.steps import (
    announce,
    answer,
    automatic,
    cancel,
    cancelled,
    connect,
    credit,
    customers,
    deliver,
    health,
    hints,
    ingest,
    invite,
    privacy,
    reconcile,
    remind,
    seal,
    stamp,
    sweep,
)
from hub.steps.context import Context, Post
from hub.steps.opening import Passes
from hub.store.database import Store
from hub.store.records import PacAccount
from hub.work.channels import Messengers
from hub.work.envelope import AddressUnusable
from hub.work.jobs import Job, Jobs
from hub.work.post import SmtpUrlInvalid, post_from_url
from hub.work.sweeper import Sweep
from hub.work.waker import Waker, answers
from portal.mail.letters import TemplateLetters

#: How often every platform is asked for what its webhooks did not tell.
SWEEP_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Hub:
    """One process's view of everything. Close it at the end."""

    ctx: Context
    waker: Waker
    jobs: Jobs
    sweeps: tuple[Sweep, ...]

    def redis_answers(self) -> bool | None:
        """None where none is configured, False where it cannot be reached."""
        if self.waker.redis_url is None:
            return None
        return answers(self.waker.redis_url)

    def close(self) -> None:
        self.ctx.store.close()


def build(settings: Settings, *, clock: Clock | None = None) -> Hub:
    """Open everything, reaching nothing yet. Raises `SettingsInvalid`."""
    clock = clock or SystemClock()
    store = Store.open(settings.database_url, keyring=settings.keyring, clock=clock)
    waker = Waker(settings.redis_url, clock)
    store.on_promise(waker.wake)
    ctx = Context(
        store=store,
        clock=clock,
        connectors=connectors(),
        pac=PacAccounts(settings, clock),
        sat=SatStatuses(settings, clock),
        post=_post(settings, clock),
        letters=TemplateLetters(),
        public_url=settings.public_url,
        mail_from=settings.mail_from,
        passes=Passes(settings.secret_key),
        messenger=Messengers(settings.allow_private_hosts),
        worker=f"{socket.gethostname()}:{os.getpid()}:{clock.new_id()[-6:]}",
    )
    return Hub(ctx, waker, jobs_of(ctx), sweeps_of(ctx))


def _post(settings: Settings, clock: Clock) -> Post:
    try:
        return post_from_url(settings.smtp_url, settings.var_dir, settings.mail_from, clock)
    except SmtpUrlInvalid as error:
        raise SettingsInvalid(str(error)) from error
    except AddressUnusable as error:
        raise SettingsInvalid(f"MAIL_FROM: {error}") from error


class PacAccounts:
    """One client an account and process: it holds the connection, the token and the breaker."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._clients: dict[str, Pac] = {}
        self._lock = threading.Lock()

    def __call__(self, account: PacAccount) -> Pac:
        with self._lock:
            if account.id not in self._clients:
                self._clients[account.id] = self._open(account)
            return self._clients[account.id]

    def _open(self, account: PacAccount) -> Pac:
        # A sandbox account names no address: it is the sandbox of this installation, wherever
        # that listens now.
        own = {"url": self._settings.sandbox_url} if account.provider == "sandbox" else {}
        return open_account(
            account.provider,
            account.environment,
            {**own, **account.settings},
            self._clock.monotonic,
            allow_private=self._settings.allow_private_hosts,
        )


class SatStatuses:
    """SAT's status service for live documents, the sandbox's own for its; one client an address."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._clients: dict[str, SatStatus] = {}

    def __call__(self, account: PacAccount) -> SatStatus | None:
        """None for a test account of a real provider: SAT never hears of its documents."""
        if account.environment == "test" and account.provider != "sandbox":
            return None
        url = status_url(account.provider, {"url": self._settings.sandbox_url, **account.settings})
        if url not in self._clients:
            self._clients[url] = SatStatus(url, monotonic=self._clock.monotonic)
        return self._clients[url]


def jobs_of(ctx: Context) -> Jobs:
    """Every promise there is, by its name in the outbox. `seconds` bounds all its time limits."""
    steps: Mapping[str, tuple[str, int, Callable[[Context, str, str], None]]] = {
        "seal": ("stamp", 30, seal.seal),
        "credit": ("stamp", 30, credit.credit),
        "stamp": ("stamp", 60, stamp.stamp),
        "stamp_lost": ("stamp", 60, stamp.stamp),
        "ask_again": ("stamp", 60, _ask_again),
        "automatic": ("stamp", 30, automatic.automatic),
        "cancel": ("stamp", 60, cancel.cancel),
        "watch_cancel": ("stamp", 60, cancelled.watch),
        "tell_cancelled": ("mail", 120, cancelled.tell),
        "deliver": ("mail", 120, deliver.deliver),
        "send_copy": ("mail", 120, deliver.send_copy),
        "tell_answer": ("mail", 120, answer.tell_answer),
        "invite": ("mail", 240, invite.invite),
        "invite_next": ("mail", 240, invite.invite_next),
        "remind": ("mail", 240, remind.remind),
        "ingest": ("ingest", 120, hints.look_into),
        "ingest_order": ("ingest", 120, ingest.ingest_order),
        "announce": ("ingest", 120, announce.announce),
        "announce_sale": ("ingest", 120, announce.announce_sale),
        "look_at_customer": ("ingest", 120, customers.look_at_customer),
        "serve_customer": ("ingest", 120, customers.serve_customer),
        "privacy": ("ingest", 600, privacy.privacy),
        "sweep": ("ingest", 600, sweep.sweep),
        "reconcile": ("ingest", 600, reconcile.reconcile),
        "connect": ("ingest", 300, connect.connect),
        "tidy": ("ingest", 300, connect.tidy),
    }
    return {
        name: Job(name=name, queue=queue, seconds=seconds, run=_bound(ctx, step))
        for name, (queue, seconds, step) in steps.items()
    }


def sweeps_of(ctx: Context) -> tuple[Sweep, ...]:
    return (
        Sweep("platforms", SWEEP_EVERY.total_seconds(), lambda: sweep.sweep_all(ctx)),
        Sweep("lost", 15, lambda: sweep.nudge_lost(ctx)),
        Sweep("health", 3600, lambda: health.check_all(ctx)),
        Sweep("books", 3600, lambda: reconcile.reconcile_all(ctx)),
        Sweep("stuck", 300, lambda: sweep.nudge_stuck(ctx)),
    )


def _bound(ctx: Context, step: Callable[[Context, str, str], None]) -> Callable[[str, str], None]:
    return lambda merchant_id, subject: step(ctx, merchant_id, subject)


def _ask_again(ctx: Context, merchant_id: str, invoice_id: str) -> None:
    stamp.stamp(ctx, merchant_id, invoice_id, reviewed=True)
