import pytest
from prefect.testing.utilities import prefect_test_harness


@pytest.fixture(scope="session", autouse=True)
def prefect_server():
    """One temporary Prefect server on 127.0.0.1 for all tests of flows."""
    with prefect_test_harness(server_startup_timeout=600):
        yield
