"""What the launcher needs the application itself for: the migrations and the demo."""

import threading
from typing import Any

from flask_migrate import upgrade
from sqlalchemy.exc import OperationalError

from app import create_app
from app.launcher import demo
from app.launcher.schema import DatabaseAway


class Preparing:
    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._app = create_app()

    def migrate(self) -> None:
        """Raises DatabaseAway."""
        try:
            with self._app.app_context():
                upgrade()
        except OperationalError as error:
            raise DatabaseAway(str(error.orig)) from error

    def make_demo(self) -> bool:
        """Whether it is new."""
        return demo.prepare(self._app, self._settings)

    def wake_demo(self, is_new: bool) -> None:
        threading.Thread(target=demo.wake, args=(self._app, self._settings, is_new), daemon=True).start()
