"""The matrices of the tests are small: threads of the linear algebra would only wait for each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="session", autouse=True)
def _one_native_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield
