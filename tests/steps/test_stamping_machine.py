"""Whatever happens in whatever order: at most one stamp a sale, and in the end no doubt is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from hub.domain.states import State
from hub.steps import review
from hub.steps.review import NotResolvable

FAULTS = (
    "drop_before",
    "drop_after",
    "500_after_commit",
    "307_without_data",
    "garbage",
    "402",
    "reject:CFDI40145",
    "reject:402",
)
ENDS = {State.STAMPED, State.REJECTED, State.REVIEW}


@pytest.mark.slow
def test_any_order_of_events(
    fresh_world: Callable[..., Any],
    running: tuple[Any, Any],
    clock: Any,
    other_form: Any,
    form: Any,
) -> None:
    provider, now = running

    class Machine(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            provider.calm()
            provider.app._memory._db.execute("DELETE FROM stamp")
            self.world = fresh_world(type(clock)(), now)
            self.merchant = self.world.settle()
            self.sales = [self.merchant.keep(key) for key in ("a", "b")]

        @rule(sale=st.integers(0, 1), corrected=st.booleans())
        def the_buyer_asks(self, sale: int, corrected: bool) -> None:
            sale_id = self.sales[sale]
            sent = other_form if corrected else form
            self.world.die(lambda: self.merchant.request(sale_id, sent))

        @rule(rows=st.integers(1, 4))
        def a_worker_works(self, rows: int) -> None:
            self.world.die(lambda: self.world.drain("stamp", rows=rows))

        @rule(seconds=st.sampled_from([1, 2, 6, 13, 61, 3600, 80 * 3600]))
        def time_passes(self, seconds: int) -> None:
            self.world.clock.advance(seconds)
            with self.world.store.transaction() as tx:
                tx.outbox.expire()

        @rule(at=st.integers(1, 6))
        def it_will_die_at_a_commit(self, at: int) -> None:
            self.world.kill.arm(at, "commit")

        @rule(when=st.sampled_from(["before_send", "after_send"]))
        def it_will_die_at_a_sending(self, when: str) -> None:
            self.world.kill.arm(0, when)

        @rule(mode=st.sampled_from(FAULTS), times=st.integers(1, 2))
        def the_provider_fails(self, mode: str, times: int) -> None:
            provider.fault(mode, times)

        @rule(sale=st.integers(0, 1), how=st.sampled_from([review.ask_again, review.retry]))
        def staff_try(self, sale: int, how: Callable[..., None]) -> None:
            found = self._invoice(self.sales[sale])
            if found is not None:
                self.world.kill.when = ""
                try:
                    how(self.world.ctx, self.merchant.id, found.id)
                except NotResolvable:
                    return

        @invariant()
        def never_a_second_stamp(self) -> None:
            hashes = {sale_id: self._hashes(sale_id) for sale_id in self.sales}
            for known in hashes.values():
                assert sum(stamp["sha256"] in known for stamp in provider.stamps()) <= 1

        def teardown(self) -> None:
            self.world.kill.when = ""
            provider.calm()
            self.world.quiet()
            assert self.world.violations() == []
            for sale_id in self.sales:
                found = self._invoice(sale_id)
                stamps = provider.stamps()
                known = self._hashes(sale_id)
                assert found is None or found.state in ENDS
                if found is not None and found.state is State.STAMPED:
                    assert sum(stamp["sha256"] in known for stamp in stamps) == 1
            self.world.store.close()

        def _invoice(self, sale_id: str) -> Any:
            return self.merchant.of(lambda tenant: tenant.invoices.for_sale(sale_id))

        def _hashes(self, sale_id: str) -> set[str]:
            found = self._invoice(sale_id)
            if found is None:
                return set()
            return {
                self.merchant.of(lambda tenant, v=v: tenant.invoices.document(found.id, v)).sha256
                for v in range(1, found.version + 1)
            }

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
