"""People who use the application: a program with a token, and a browser with a session."""

from dataclasses import dataclass
from typing import Any

from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.accounts import actions as accounts
from app.platforms import actions as platforms

PASSWORD = "correct horse battery"


@dataclass
class Person:
    app: APIFlask
    email: str
    user_id: int
    account_id: int
    token: str

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        """An API call with the person's token."""
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        return self.app.test_client().open(path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> Any:
        return self._json("GET", path, 200, **options)

    def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        return self._json("POST", path, status, json=body)

    def put(self, path: str, body: Any, status: int = 200) -> Any:
        return self._json("PUT", path, status, json=body)

    def _json(self, method: str, path: str, status: int, **options: Any) -> Any:
        if options.get("json", ...) is None:
            del options["json"]
        answer = self.call(method, path, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.get_json(silent=True)

    def browser(self) -> FlaskClient:
        """A client that has signed in by the form."""
        client = self.app.test_client()
        page = client.get("/login").text
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        answer = client.post("/login", data={"email": self.email, "password": PASSWORD, "csrf_token": token})
        assert answer.status_code == 302, answer.text
        return client


def make_person(app: APIFlask, email: str, account_name: str, role: str = "owner") -> Person:
    with app.app_context():
        user = accounts.add_user(email=email, password=PASSWORD, account_name=account_name, role=role)
        token = accounts.issue_token(user)
        return Person(app, email, user.id, user.memberships[0].account_id, token)


def connect(person: Person, base_url: str, *, account: str = "acct_demo", pace: tuple[int, int] = (1000, 1)) -> int:
    """Connects the person's account to the sandbox. Returns the connection's id."""
    with person.app.app_context():
        connection = platforms.connect(
            person.account_id,
            base_url=base_url,
            external_account=account,
            api_key="sandbox-test",
            pace_limit=pace[0],
            pace_window_seconds=pace[1],
        )
        return connection.id


def add_fan(person: Person, number: int = 1, **values: Any) -> dict:
    """A fan who is linked to the platform."""
    body = {"handle": f"fan{number}", "name": f"Fan {number}", "platformFanId": str(100_000_000 + number)} | values
    return person.post("/api/crm/fans", body)


def csrf_of(client: FlaskClient, path: str) -> str:
    """The token of the form at that address."""
    return client.get(path).text.partition('name="csrf_token" value="')[2].partition('"')[0]


def submit(client: FlaskClient, path: str, page: str = "", **values: Any) -> TestResponse:
    """Sends a form as the page at `page` (else the same address) would."""
    return client.post(path, data=values | {"csrf_token": csrf_of(client, page or path)})
