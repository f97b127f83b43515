import pytest

from tests import servers
from tests.conftest import empty_tables


@pytest.fixture
def elsewhere(app, make_app, postgres_url, tmp_path):
    """An empty instance on the other database."""
    if "sqlite" in app.config["SQLALCHEMY_DATABASE_URI"]:
        other = make_app(servers.make_database(postgres_url, f"elsewhere_{tmp_path.name[:40].replace('-', '_')}"))
    else:
        other = make_app(f"sqlite:///{tmp_path / 'elsewhere.sqlite'}")
    with other.app_context():
        empty_tables()
    return other
