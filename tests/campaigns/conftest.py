import pytest
from flask.testing import FlaskClient

from tests.people import Person
from tests.servers import Sandbox


@pytest.fixture
def browser(ada: Person, connected: Sandbox) -> FlaskClient:
    """Ada's, of an account that is connected."""
    return ada.browser()
