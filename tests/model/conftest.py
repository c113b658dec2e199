"""An exhaustive model of stamping one sale: two workers, crashes, zombies, late commits.

Every interleaving is visited, breadth first: workers die between any two steps, a lease expires at
any time (so a slow worker becomes a zombie that still sends), requests are lost on the way, are
answered, or are committed after the worker has given up. The bad state is a second CFDI for the
sale at any provider. `Design` holds the guards; taking one away must be caught by the search.

What it assumes: the provider keeps its stated way of recognising a document, and a committed
transaction stays. What it shows of the pre-send lease check ends at the check: the moment between
it and the first byte is the provider's recognition alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import pytest

from hub.domain.states import MOVES, State

MAX_ATTEMPTS = 3
MAX_VERSIONS = 3
WORKERS = 2

#: An answer after which the attempt surely made no CFDI.
DEFINITE = frozenset({"never", "later"})


@dataclass(frozen=True)
class Design:
    """The guards of `hub/steps` and the store, and what the provider promises."""

    #: "atomic", "racy" (looks first, commits later) or "none".
    dedupe: str = "atomic"
    #: The same bytes are sent again; without it every try builds a new document.
    same_bytes: bool = True
    #: A new version only when every attempt so far has a definite answer.
    strict_reseal: bool = True
    #: No second sending while one may still be under way at the provider.
    quiet_period: bool = False
    #: A worker looks at its lease right before it sends.
    lease_check: bool = False
    #: Try another provider after an unknown outcome.
    failover: bool = False
    resend_unknown: bool = True


class Attempt(NamedTuple):
    version: int
    provider: int
    outcome: str  # "" while unanswered


class Flight(NamedTuple):
    """A request on its way to, or within, the provider."""

    attempt: int
    checked: bool


class Hand(NamedTuple):
    """What a worker is at: idle, claimed, waiting for an answer, holding one to be stored."""

    phase: str
    attempt: int
    answer: str


IDLE = Hand("idle", 0, "")


class World(NamedTuple):
    state: State
    version: int
    attempts: tuple[Attempt, ...]
    hands: tuple[Hand, ...]
    flights: tuple[Flight, ...]
    #: (provider, version) of every CFDI that exists.
    stamps: tuple[tuple[int, int], ...]


START = World(State.REQUESTED, 0, (), (IDLE,) * WORKERS, (), ())


class IllegalMove(Exception):
    pass


def move(world: World, after: State) -> World:
    if (world.state, after) not in MOVES:
        raise IllegalMove(f"{world.state} → {after}")
    return world._replace(state=after)


def with_hand(world: World, index: int, hand: Hand) -> World:
    hands = list(world.hands)
    hands[index] = hand
    return world._replace(hands=tuple(hands))


def with_outcome(world: World, number: int, outcome: str) -> World:
    attempts = list(world.attempts)
    if not attempts[number].outcome:  # one answer per attempt, never overwritten
        attempts[number] = attempts[number]._replace(outcome=outcome)
    return world._replace(attempts=tuple(attempts))


def all_definite(world: World) -> bool:
    return all(attempt.outcome in DEFINITE for attempt in world.attempts)


class Stamping:
    """All worlds that follow from a world in one step."""

    def __init__(self, design: Design) -> None:
        self.design = design

    def successors(self, world: World) -> Iterator[World]:
        for index, hand in enumerate(world.hands):
            if hand.phase == "idle":
                yield from self.pick_up(world, index)
            else:
                yield with_hand(world, index, IDLE)  # SIGKILL
                yield from self.go_on(world, index, hand)
        if world.state is State.SENDING and not world.attempts[-1].outcome:
            lost = with_outcome(world, len(world.attempts) - 1, "lost")
            yield move(lost, State.UNKNOWN)  # the lease expired, its worker dead or not
        for flight in world.flights:
            yield from self.at_provider(world, flight)

    def pick_up(self, world: World, index: int) -> Iterator[World]:
        exhausted = len(world.attempts) == MAX_ATTEMPTS
        match world.state:
            case State.REQUESTED if exhausted or world.version == MAX_VERSIONS:
                yield move(world, State.REVIEW)
            case State.REQUESTED:
                yield move(world._replace(version=world.version + 1), State.SEALED)
                yield move(world, State.REJECTED)  # it cannot be built
            case State.SEALED if exhausted:
                yield move(world, State.REQUESTED)
            case State.SEALED:
                yield self.claim(world, index)
            case State.REJECTED:
                yield move(world, State.REQUESTED)
            case State.UNKNOWN if exhausted or not self.design.resend_unknown:
                yield move(world, State.REVIEW)
            case State.UNKNOWN if not (self.design.quiet_period and world.flights):
                yield self.claim(self.rebuilt(world), index)
            case State.REVIEW:
                yield from self.reviewed(world, index)
            case _:
                pass

    def reviewed(self, world: World, index: int) -> Iterator[World]:
        """What a person may do: ask again, or let it be built anew or given up."""
        waiting = self.design.quiet_period and bool(world.flights)
        may_send = 0 < len(world.attempts) < MAX_ATTEMPTS and not waiting
        if self.design.resend_unknown and may_send:
            yield self.claim(self.rebuilt(world), index)
        if all_definite(world):
            yield move(world, State.REQUESTED)
            yield move(world, State.REJECTED)

    def rebuilt(self, world: World) -> World:
        if self.design.same_bytes or world.version == MAX_VERSIONS:
            return world
        return world._replace(version=world.version + 1)

    def claim(self, world: World, index: int) -> World:
        provider = 0
        if self.design.failover and world.state is State.UNKNOWN:
            provider = 1 - world.attempts[-1].provider
        attempt = Attempt(world.version, provider, "")
        number = len(world.attempts)
        world = move(world._replace(attempts=(*world.attempts, attempt)), State.SENDING)
        return with_hand(world, index, Hand("claimed", number, ""))

    def go_on(self, world: World, index: int, hand: Hand) -> Iterator[World]:
        if hand.phase == "claimed":
            yield from self.send(world, index, hand)
        elif hand.phase == "waiting":
            yield with_hand(world, index, hand._replace(phase="holding", answer="unknown"))
        else:
            yield with_hand(self.store(world, hand), index, IDLE)

    def send(self, world: World, index: int, hand: Hand) -> Iterator[World]:
        newest = hand.attempt == len(world.attempts) - 1
        leased = newest and world.state is State.SENDING and not world.attempts[-1].outcome
        if self.design.lease_check and not leased:
            yield with_hand(world, index, IDLE)
            return
        flights = tuple(sorted((*world.flights, Flight(hand.attempt, checked=False))))
        yield with_hand(world._replace(flights=flights), index, hand._replace(phase="waiting"))
        yield with_hand(world, index, hand._replace(phase="holding", answer="later"))  # refused

    def store(self, world: World, hand: Hand) -> World:
        world = with_outcome(world, hand.attempt, hand.answer)
        if hand.answer == "stamped":
            if world.state in {State.SENDING, State.UNKNOWN, State.REVIEW}:
                return move(world, State.STAMPED)  # an old attempt may add a stamp
            return world  # it stands for nothing any more: only a broken design comes here
        if world.state is not State.SENDING or hand.attempt != len(world.attempts) - 1:
            return world  # fenced
        if hand.answer in DEFINITE and (all_definite(world) or not self.design.strict_reseal):
            return move(world, State.REJECTED if hand.answer == "never" else State.SEALED)
        return move(world, State.REVIEW if hand.answer == "odd" else State.UNKNOWN)

    def at_provider(self, world: World, flight: Flight) -> Iterator[World]:
        flights = list(world.flights)
        flights.remove(flight)
        gone = world._replace(flights=tuple(flights))
        version, provider, _ = world.attempts[flight.attempt]
        known = (provider, version) in world.stamps
        if not flight.checked:
            yield gone  # lost on the way
            if known and self.design.dedupe != "none":
                yield from self.stamped(gone, flight)
                return
            yield self.answered(gone, flight, "never")
            if self.design.dedupe == "racy":
                checked = tuple(sorted((*flights, flight._replace(checked=True))))
                yield world._replace(flights=checked)
                return
        stamps = tuple(sorted((*world.stamps, (provider, version))))
        yield from self.stamped(gone._replace(stamps=stamps), flight)

    def stamped(self, world: World, flight: Flight) -> Iterator[World]:
        yield self.answered(world, flight, "stamped")
        yield self.answered(world, flight, "odd")  # an answer that does not pass the checks

    def answered(self, world: World, flight: Flight, answer: str) -> World:
        for index, hand in enumerate(world.hands):
            if hand.phase == "waiting" and hand.attempt == flight.attempt:
                return with_hand(world, index, hand._replace(phase="holding", answer=answer))
        return world  # the worker gave up: nobody hears it


@dataclass
class Verdict:
    """`trace` leads to the second CFDI, or is empty. `stuck`: worlds that can never end well."""

    trace: list[World]
    states: int
    transitions: int
    stuck: int
    seen_moves: set[tuple[State, State]]


def explore(design: Design) -> Verdict:
    """Visit every world; stop at the first with a second CFDI."""
    model = Stamping(design)
    came_from: dict[World, World | None] = {START: None}
    back: dict[World, list[World]] = {}
    seen_moves: set[tuple[State, State]] = set()
    frontier, transitions = [START], 0
    while frontier:
        following = []
        for world in frontier:
            for step in model.successors(world):
                after = step._replace(hands=tuple(sorted(step.hands)))  # workers are alike
                transitions += 1
                back.setdefault(after, []).append(world)
                seen_moves.add((world.state, after.state))
                if after in came_from:
                    continue
                came_from[after] = world
                if len(after.stamps) > 1:
                    trace = trace_to(after, came_from)
                    return Verdict(trace, len(came_from), transitions, 0, seen_moves)
                following.append(after)
        frontier = following
    stuck = len(came_from) - len(reaching_an_end(came_from, back))
    return Verdict([], len(came_from), transitions, stuck, seen_moves)


def trace_to(world: World, came_from: dict[World, World | None]) -> list[World]:
    trace = [world]
    while (before := came_from[trace[-1]]) is not None:
        trace.append(before)
    return trace[::-1]


def reaching_an_end(
    worlds: dict[World, World | None], back: dict[World, list[World]]
) -> set[World]:
    reached = {world for world in worlds if world.state in {State.STAMPED, State.REVIEW}}
    todo = list(reached)
    while todo:
        for before in back.get(todo.pop(), ()):
            if before not in reached:
                reached.add(before)
                todo.append(before)
    return reached


GUARDED = Design()
DESIGNS = {
    "A builds a new document on every try": replace(GUARDED, same_bytes=False),
    "B seals anew after any rejection": replace(GUARDED, strict_reseal=False),
    "C same bytes, strict, atomic provider": GUARDED,
    "D C with a racy provider": replace(GUARDED, dedupe="racy"),
    "E D with a quiet period": replace(GUARDED, dedupe="racy", quiet_period=True),
    "F E with a look at the lease": replace(
        GUARDED, dedupe="racy", quiet_period=True, lease_check=True
    ),
    "G C with another provider after unknown": replace(GUARDED, failover=True),
    "H C with a provider that recognises nothing": replace(GUARDED, dedupe="none"),
    "I H that never sends an unknown again": replace(GUARDED, dedupe="none", resend_unknown=False),
}


@pytest.fixture(scope="session")
def verdicts() -> dict[str, Verdict]:
    """By the letter of the design."""
    return {name[0]: explore(design) for name, design in DESIGNS.items()}
