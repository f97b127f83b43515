"""Schemathesis over the OpenAPI document: every call in every way the document allows, and in ways that it does not."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.transport.wsgi import WSGITransport

from app.accounts import actions as accounts
from app.imports import actions as imports
from tests.people import PASSWORD, Person, add_fan, connect
from tests.sending import drain

ENOUGH_TO_DELETE = 6  # of each thing: some calls remove what others look for


@dataclass
class Found:
    """What a run said: each failure once, and how much was tried."""

    failures: dict[str, str] = field(default_factory=dict)  # what each is; how to see it
    calls: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    operations: set[str] = field(default_factory=set)


def run(
    person: Person, ids: dict[str, list[int]], *, examples: int, scenarios: int = 0, coverage: bool = False
) -> Found:
    """examples: of each call. scenarios: chains of calls, each taking up what the one before made. coverage: every edge
    that the document draws, one by one."""
    phases = {
        "examples": {"enabled": coverage},
        "coverage": {"enabled": coverage},
        "fuzzing": {"generation": {"max-examples": examples}},
        "stateful": {"enabled": scenarios > 0, "generation": {"max-examples": scenarios or 1}},
    }
    config = SchemathesisConfig.from_dict(_settings(person, ids) | {"phases": phases})
    found = Found()
    with _in_process():
        schema = schemathesis.openapi.from_wsgi("/api/openapi.json", person.app, config=config)
        for event in from_schema(schema).execute():
            if isinstance(event, (events.ScenarioFinished, events.FuzzScenarioFinished)):
                _count(event.recorder, found)
            if isinstance(event, events.NonFatalError):
                found.failures[f"{event.label}: {event.value!r}"] = ""
            if isinstance(event, events.FatalError):
                raise event.exception
    return found


@contextmanager
def _in_process() -> Iterator[None]:
    """Some checks of this release ask without a session, and then hand settings of the network to the test client."""
    send = WSGITransport.send

    def send_without(transport: Any, case: Any, **options: Any) -> Any:
        for name in ("max_redirects", "verify", "cert", "proxies") if options.get("session") is None else ():
            options.pop(name, None)
        return send(transport, case, **options)

    with patch.object(WSGITransport, "send", send_without):
        yield


def _settings(person: Person, ids: dict[str, list[int]]) -> dict[str, Any]:
    return {
        "seed": 1,
        "headers": {"Authorization": f"Bearer {person.token}", "Prefer": "respond-async"},
        "continue-on-failure": True,
        "workers": 1,
        "cache": {"enabled": False},
        "generation": {"deterministic": True, "no-shrink": True, "database": "none"},
        "dictionaries": {name: {"values": values} for name, values in ids.items()},
        "parameters": {
            f"path.{name}": {"dictionary": name, "probability": 0.7} for name in ids if name.endswith("_id")
        },
        "operations": [
            {
                "include-name": "DELETE /api/auth/token",
                "headers": {"Authorization": f"Bearer {_another_token(person)}"},
            },
        ],
        "checks": {
            # What no schema can say: a cursor of this very list, an existing time zone, a password that is the person's.
            "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "404", "409", "413", "415", "422"]},
        },
    }


def _another_token(person: Person) -> str:
    """One that may be revoked."""
    with person.app.app_context():
        return accounts.issue_token(accounts.check_sign_in(person.email, PASSWORD))


def _count(recorder: Any, found: Found) -> None:
    for case_id, interaction in recorder.interactions.items():
        found.calls += 1
        if interaction.response is not None:
            status = interaction.response.status_code
            found.statuses[status] = found.statuses.get(status, 0) + 1
        if case_id in recorder.cases:
            found.operations.add(recorder.cases[case_id].value.operation.label)
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.status is Status.FAILURE:
                label = recorder.cases[case_id].value.operation.label
                info = check.failure_info
                found.failures.setdefault(
                    f"{label}: {info.failure.title}", f"{info.failure.message}\n{info.code_sample}"
                )


def things_of_every_kind(person: Person, sandbox_url: str, each: int = ENOUGH_TO_DELETE) -> dict[str, list[int]]:
    """Rows for all calls to find, by the name that addresses have for their ids."""
    connection_id = connect(person, sandbox_url)
    fans = [add_fan(person, number, tags=["vip"], email=f"f{number}@x.org") for number in range(1, each + 1)]
    threads = [person.post("/api/crm/conversations", {"fanId": fan["id"]}) for fan in fans]
    fan_ids = [fan["id"] for fan in fans]
    campaigns = [
        person.post("/api/messages/bulk", {"recipientIds": fan_ids, "content": "all"}, 202)["campaignId"] for _ in fans
    ]
    drain(person.app)
    messages = [
        person.post(f"/api/crm/conversations/{thread['id']}/messages", {"text": "hi"}, 202)["id"] for thread in threads
    ]
    return {
        "fan_id": fan_ids,
        "conversation_id": [thread["id"] for thread in threads],
        "campaign_id": campaigns,
        "message_id": messages,
        "connection_id": [connection_id],
        "segment_id": [segment(person, number) for number in range(each)],
        "import_id": [imported(person, number) for number in range(each)],
    }


def segment(person: Person, number: int) -> int:
    rule = {"match": "all", "rules": [{"field": "spend", "op": "atLeast", "value": 50000}]}
    return person.post("/api/segments", {"name": f"Big {number}", "rule": rule})["id"]


def imported(person: Person, number: int) -> int:
    """A file whose first row is new, and whose second is refused."""
    return import_file(person, f"Username,Display Name,Email\nfile{number},File {number},\nbad{number},Bad,x@\n")


def import_file(person: Person, content: str) -> int:
    """Uploads it and runs the import. Its id."""
    answer = person.call(
        "POST", "/api/onlyfans/import/csv", data={"file": (io.BytesIO(content.encode()), "a.csv")},
        headers={"Prefer": "respond-async"},
    )  # fmt: skip
    import_id = answer.get_json()["importId"]
    with person.app.app_context():
        imports.run_import(import_id)
    return import_id
