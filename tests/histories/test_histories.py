"""Random histories, heard of in random ways: in the end the balances are those of a model that
never saw an event, the books are clean, and Stripe and the shop say the same.

A failure prints its seed and its diary; HISTORY_SEED=<seed> tells that history again."""

import os
import random
from random import Random

import pytest

from tests.histories.delivery import Healing, Post
from tests.histories.world import World
from tests.support.accidents import Fate
from tests.support.at_checkout import learn_prices, make_prices
from tests.support.rewinding import Moment
from tests.support.served import ServedShop
from tests.support.thoroughness import usually

ACTS = {
    World.tops_up: 5,
    World.buys_for_good: 1,
    World.subscribes: 3,
    World.cancels: 1,
    World.month_passes: 2,
    World.while_passes: 1,
    World.refunds: 4,
    World.bank_sends_back: 1,
    World.disputes: 2,
    World.bank_decides: 2,
    World.spends: 3,
}
LENGTH = 14


@pytest.mark.parametrize("healing", ["catch_up", "reconcile"])
@pytest.mark.timeout(3600)
def test_in_the_end_everything_is_as_if_all_had_gone_well(
    deaf: ServedShop, mortal: Fate, healing: Healing
) -> None:
    empty = Moment(deaf.app)
    named = os.environ.get("HISTORY_SEED")
    seeds = (
        [int(named)] if named else [random.getrandbits(32) for _ in range(usually(1, thorough=50))]
    )
    for seed in seeds:
        deaf.stripe.reset()
        empty.returns()
        make_prices(deaf.stripe, deaf.app.extensions["catalog"])
        learn_prices(deaf.app)
        tells(World(deaf, mortal, Random(seed)), healing, seed)


def tells(world: World, healing: Healing, seed: int) -> None:
    post = Post(world, healing)
    world.tops_up()
    for act in world.chance.choices(list(ACTS), weights=list(ACTS.values()), k=LENGTH):
        if act is World.month_passes:
            post.before_a_month()
        act(world)
        post.collects()
        if world.chance.random() < 0.5:
            post.delivers()
        if world.chance.random() < 0.3:
            post.works()
    world.while_passes()
    post.collects()
    post.delivers()
    differences = post.heals()
    diary = "\n".join([f"seed {seed}, healed by {healing}:", *world.diary])
    assert world.wrong_balances() == {}, diary
    assert post.troubles() == [], diary
    assert differences == [], diary
