"""Node gateways for the tests: one for all that don't end it; the others start their own."""

from collections.abc import Iterator

import pytest

from tests.gateways.node_gateway import NodeGateway


@pytest.fixture(scope="session")
def _session_gateway() -> Iterator[NodeGateway]:
    with NodeGateway() as gateway:
        yield gateway


@pytest.fixture
def node_gateway(_session_gateway: NodeGateway) -> NodeGateway:
    """Running, with Wechaty's default certificate; it has said nothing and behaves as at first.

    Rooms, people and messages of earlier tests stay: take other ids.
    """
    _session_gateway.reset()
    return _session_gateway
