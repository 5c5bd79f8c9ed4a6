from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mason.limits import Limits

BOUNDS = [field.name for field in dataclasses.fields(Limits)]


def test_depth_size_and_time_are_free_by_default() -> None:
    limits = Limits()
    assert (limits.depth, limits.nodes, limits.bytes, limits.seconds) == (None,) * 4
    assert limits.inflated == 64 * 1024 * 1024


def test_the_core_gets_a_tuple_with_minus_one_for_no_bound() -> None:
    assert Limits().as_tuple() == (-1, -1, -1, -1, 4300, 10_000, 100, 256)
    every = Limits(depth=1, nodes=2, bytes=3, seconds=0.5, digits=4)
    assert every.as_tuple() == (1, 2, 3, 0.5, 4, 10_000, 100, 256)
    assert Limits(key_nodes=None, key_depth=0, collisions=None).as_tuple()[5:] == (-1, 0, -1)


@pytest.mark.parametrize("name", BOUNDS)
def test_every_bound_can_be_taken_away(name: str) -> None:
    assert getattr(Limits(**{name: None}), name) is None


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("value", [-1, float("nan")])
def test_a_bound_below_zero_is_refused(name: str, value: float) -> None:
    with pytest.raises((ValueError, TypeError), match=f"Limits.{name}"):
        Limits(**{name: value})


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("value", ["10", True, b"1", [1]])
def test_a_bound_is_a_number(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"Limits.{name} takes .* not {type(value).__name__}"):
        Limits(**{name: value})


def test_limits_cannot_be_changed_but_replaced() -> None:
    limits = Limits()
    with pytest.raises(dataclasses.FrozenInstanceError):
        limits.depth = 3  # type: ignore[misc]
    assert dataclasses.replace(limits, depth=3) == Limits(depth=3)
    assert hash(Limits(depth=3)) == hash(Limits(depth=3))


def test_limits_travel_to_other_processes() -> None:
    limits = Limits(depth=7, ratio=None)
    assert pickle.loads(pickle.dumps(limits)) == copy.deepcopy(limits) == limits


def test_small_data_may_inflate_to_the_floor_and_large_data_by_the_ratio() -> None:
    limits = Limits(inflated=1000, ratio=10)
    assert limits.inflated_most(1) == limits.inflated_most(100) == 1000
    assert limits.inflated_most(101) == 1010
    assert limits.allows_inflated(1000, 1)
    assert not limits.allows_inflated(1001, 1)
    assert limits.allows_inflated(1010, 101)
    assert not limits.allows_inflated(1011, 101)


@pytest.mark.parametrize("free", [Limits(inflated=None), Limits(ratio=None)])
def test_without_one_of_the_two_data_may_inflate_without_bound(free: Limits) -> None:
    assert free.inflated_most(1) is None
    assert free.allows_inflated(1 << 60, 1)


@given(
    st.integers(0, 1 << 40),
    st.integers(0, 1 << 40),
    st.integers(0, 1 << 30),
    st.floats(0, allow_nan=False),
)
def test_what_is_allowed_is_what_the_most_says(
    size: int, compressed: int, inflated: int, ratio: float
) -> None:
    limits = Limits(inflated=inflated, ratio=ratio)
    most = limits.inflated_most(compressed)
    assert most is not None and most >= inflated
    assert limits.allows_inflated(size, compressed) == (size <= most)
