"""No interleaving makes two CFDIs of one sale; and the search finds the designs where one does."""

from __future__ import annotations

import pytest

from hub.domain.states import MOVES, State

BROKEN = "ABDEGH"
SAFE = "CFI"

#: What comes after the stamp is not part of this model.
MODELLED = frozenset(State) - {State.SUPERSEDED, State.CANCELLING, State.CANCELLED}


@pytest.mark.parametrize("letter", SAFE)
def test_a_guarded_design_never_makes_two(verdicts, letter):
    verdict = verdicts[letter]
    assert verdict.trace == []
    assert verdict.states > 300  # it did look


@pytest.mark.parametrize("letter", SAFE)
def test_every_state_can_still_be_stamped_or_reach_a_person(verdicts, letter):
    assert verdicts[letter].stuck == 0


@pytest.mark.parametrize("letter", BROKEN)
def test_a_design_without_one_guard_is_caught(verdicts, letter):
    last = verdicts[letter].trace[-1]
    assert len(last.stamps) == 2


def test_shortest_ways_to_two_are_the_known_ones(verdicts):
    """In steps. A longer one means that the model lost a way in which the world goes wrong."""
    shortest = {letter: len(verdicts[letter].trace) - 1 for letter in BROKEN}
    assert shortest == {"A": 8, "B": 14, "D": 10, "E": 10, "G": 8, "H": 8}


def test_the_model_walks_every_move_of_the_table_up_to_the_stamp(verdicts):
    walked = {move for letter in SAFE for move in verdicts[letter].seen_moves}
    expected = {(before, after) for before, after in MOVES if {before, after} <= MODELLED}
    assert {move for move in walked if move[0] is not move[1]} == expected
