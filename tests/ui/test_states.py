"""Every state that the engine stores has a sign."""

import re
from pathlib import Path

import pytest

from controlroom.engine.deliveries.model import DeliveryState
from controlroom.engine.runs.model import Result, RunState, StepRunState
from controlroom.engine.work_items.model import ItemState
from controlroom.engine.workers.model import WorkerState
from controlroom.protocol import PhaseState
from controlroom.ui.states import SIGNS, of_run, of_step_run, sign_of

SHAPES = {*re.findall(r'id="s-([\w-]+)"', (Path(__file__).parents[2] / "assets/states.svg").read_text())}
STATES = {
    "run": RunState,
    "step_run": StepRunState,
    "result": Result,
    "item": ItemState,
    "worker": WorkerState,
    "phase": PhaseState,
    "delivery": DeliveryState,
}


@pytest.mark.parametrize("noun", STATES)
def test_every_state_has_a_sign(noun):
    """Of the engine's own words, each; and no sign is for what is none (paused is a time of a step run)."""
    assert {each.value for each in STATES[noun]} == SIGNS[noun].keys() - {"paused"}


def test_shapes_are_drawn_and_say_more_than_colours():
    """Each is in the sprite. What is red, amber or green has a shape of its own: colour alone says nothing."""
    signs = [sign for noun in SIGNS.values() for sign in noun.values()]
    assert {sign.shape for sign in signs} <= SHAPES
    tones = {}
    for sign in signs:
        tones.setdefault(sign.shape, set()).add(sign.tone)
    assert all(len(found) == 1 or shape == "lost" for shape, found in tones.items())


def test_what_it_came_to_says_more_than_that_it_ended():
    """A run that was stopped is shown as stopped, one that succeeded as completed."""
    assert of_run(RunState.COMPLETED, Result.STOPPED).word == "Stopped"
    assert of_run(RunState.COMPLETED, Result.SUCCEEDED).word == "Completed"
    assert of_run(RunState.UNRESOLVED, Result.FAILED).word == "Unresolved"
    assert of_step_run(StepRunState.FAILED, Result.LOST).word == "Lost"
    assert of_step_run(StepRunState.IN_PROGRESS, None, is_paused=True).word == "Paused"


def test_a_word_that_is_new_is_shown_as_it_is():
    """A grammar's later state is no reason for a page to fail."""
    assert sign_of("run", "on_the_moon").word == "On the moon"
