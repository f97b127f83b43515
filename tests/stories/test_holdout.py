"""The interval beside a hold-out keeps its promise: over two thousand campaigns with a known effect it holds it at its stated
rate, and where there is none it claims one no more often than it says.

What fans spend is as it is in this business: most pay nothing, and a few pay ten times what others do.
"""

import math
import random

import pytest

from app.campaigns.results import CERTAINTY, LEAST_PAYING, Comparison, Group

RUNS = 2_000
TOLERANCE = 0.02  # four times the standard error of a rate of 95 % over so many runs
MEDIAN, SPREAD = 1_500, 0.9  # cents of one who pays; of its logarithm
MEAN = MEDIAN * math.exp(SPREAD**2 / 2)


def spend(dice: random.Random, fans: int, share: float) -> Group:
    paying = round(dice.gauss(fans * share, math.sqrt(fans * share * (1 - share))))
    cents = [round(MEDIAN * math.exp(dice.gauss(0, SPREAD))) for _ in range(paying)]
    return Group(fans, paying, float(sum(cents)), float(sum(each * each for each in cents)))


@pytest.mark.parametrize(("messaged", "held_back"), [(4_000, 2_000), (19_000, 2_000)])
def test_it_holds_the_true_effect_as_often_as_it_says(messaged: int, held_back: int):
    dice, ready, holds, claims = random.Random(7), 0, 0, 0
    for _ in range(RUNS):
        silent = spend(dice, held_back, 0.08)
        said = Comparison(spend(dice, messaged, 0.11), silent)
        ready += said.is_ready
        lowest, highest = said.interval
        holds += lowest <= 0.03 * MEAN <= highest
        claims += Comparison(spend(dice, messaged, 0.08), silent).has_effect
    assert ready == RUNS
    assert abs(holds / RUNS - CERTAINTY) < TOLERANCE
    assert claims / RUNS < 1 - CERTAINTY + TOLERANCE


def test_a_real_effect_is_seen():
    dice = random.Random(7)
    seen = sum(Comparison(spend(dice, 9_000, 0.12), spend(dice, 3_000, 0.06)).has_effect for _ in range(200))
    assert seen > 180


def test_it_is_too_early_with_few_who_paid():
    dice = random.Random(7)
    comparison = Comparison(spend(dice, 10_000, 0.1), spend(dice, 300, 0.1))
    assert comparison.held_back.paying < LEAST_PAYING
    assert not comparison.is_ready
    assert not comparison.has_effect
