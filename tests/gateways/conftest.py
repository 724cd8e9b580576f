"""One Node gateway for all tests that neither end it nor change how it behaves."""

from collections.abc import Iterator

import pytest

from tests.gateways.node_gateway import NodeGateway


@pytest.fixture(scope="session")
def node_gateway() -> Iterator[NodeGateway]:
    with NodeGateway() as gateway:
        yield gateway
