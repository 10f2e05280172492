"""Sums over targets: the tree, and what jobs count for in it."""

from __future__ import annotations

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from storage.model.job import JobState
from storage.scheduling.costs import Work
from storage.scheduling.work_sums import LAST_KEY, TICKS, Point, SumTree, WorkSums, key_of, pieces_of

KEYS = st.integers(0, LAST_KEY) | st.integers(28_800_000_000, 28_800_000_100)


@given(st.lists(st.tuples(KEYS, st.integers(-(10**12), 10**12)), max_size=30), st.lists(KEYS, max_size=5))
def test_a_tree_adds_up_what_lies_before_a_key(added: list[tuple[int, int]], asked: list[int]) -> None:
    """Whatever came, in whatever order; a key itself does not lie before it."""
    tree = SumTree()
    for key, amount in added:
        tree.add(key, amount)
    for key in (*asked, *(key for key, _ in added), 0, LAST_KEY):
        assert tree.before(key) == sum(amount for at, amount in added if at < key)
    assert tree.total == sum(amount for _, amount in added)


def test_a_tree_keeps_nothing_of_what_went() -> None:
    """Ten thousand jobs a day must not fill it."""
    tree = SumTree()
    for sign in (1, -1):
        for key in range(0, 10**6, 997):
            tree.add(key, sign * 5)
    assert (tree.total, tree.before(LAST_KEY), len(tree._nodes)) == (0, 0, 0)


def test_keys_are_ticks() -> None:
    """What lies outside of all time is first or last."""
    assert [key_of(target) for target in (-1.0, 0.0, 0.1, 1.7e9, 1e30, inf)] == [
        0, 0, 1, 1_700_000_000 * TICKS, LAST_KEY, LAST_KEY
    ]  # fmt: skip


def test_a_job_counts_for_its_start_and_its_rest() -> None:
    """Until it has begun; what is done counts for nothing, and its bytes told no less than its start."""
    waits = Work("a", "one", JobState.ENCODING, 1, 100.0, 4, 100, cost=100.0, start_cost=2.5, told=1.0)
    assert (pieces_of(waits).start, pieces_of(waits).rest) == (2_500_000, 97_500_000)
    assert pieces_of(waits).excess == 97_500_000
    begun = Work("a", "one", JobState.ENCODING, 1, 100.0, 4, 100, 75, cost=100.0, start_cost=2.5, told=40.0)
    assert (pieces_of(begun).start, pieces_of(begun).rest, pieces_of(begun).excess) == (0, 25_000_000, 15_000_000)
    done = Work("a", "one", JobState.PACKAGING, 1, 100.0, 4, 100, 100, cost=100.0, start_cost=2.5, told=40.0)
    assert pieces_of(done).work == 0


def test_owners_have_sums_of_their_own() -> None:
    """And one who has more than others is found."""
    jobs = [
        Work(name, owner, JobState.ENCODING, 1, cost, start_target=at, target=at, cost=cost, told=told)
        for name, owner, cost, told, at in (("a", "one", 10.0, 10.0, 5.0), ("b", "two", 40.0, 8.0, 7.0))
    ]
    sums = WorkSums(map(pieces_of, jobs))
    everybody, one, two = sums.sums([Point(6.0), Point(6.0, "one"), Point(6.0, "two")])
    assert (everybody.before, everybody.reach) == (10.0, 18.0)
    assert (one.before, one.reach, two.before, two.reach) == (10.0, 10.0, 0.0, 8.0)
    assert (sums.work(), sums.work("two"), sums.owners_over(10.0)) == (50.0, 40.0, ("two",))
