from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from browsing import Browser, started
from hypothesis import HealthCheck, settings

# What a user would see as a warning is a failure in the processes that tests start, too.
os.environ["PYTHONWARNINGS"] = "error"

# No deadline: it measures the machine, and ours are shared. On CI the examples are the same each
# time, so that a red run can be repeated; developers' machines look for new ones.
settings.register_profile(
    "mason",
    deadline=None,
    derandomize="CI" in os.environ,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("quick", settings.get_profile("mason"), max_examples=20)
settings.register_profile("thorough", settings.get_profile("mason"), max_examples=2000)
settings.load_profile("mason")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    yield from started()
