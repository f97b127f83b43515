import pytest
from flask.testing import FlaskClient

from tests.people import Person, connect
from tests.servers import Sandbox


@pytest.fixture
def connected(ada: Person, sandbox: Sandbox) -> Sandbox:
    connect(ada, sandbox.url)
    return sandbox


@pytest.fixture
def browser(ada: Person, connected: Sandbox) -> FlaskClient:
    """Ada's, of an account that is connected."""
    return ada.browser()
