"""The OpenAPI document says the truth: schemathesis holds every call against it."""

import pytest

from tests.contract.schemathesis_run import run, things_of_every_kind
from tests.people import Person

QUIET = {400, 401, 404, 405, 409, 413, 415, 422}


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)  # on both, and for longer: tests/stories
def test_no_call_answers_what_the_document_does_not_say(ada: Person, sandbox):
    found = run(ada, things_of_every_kind(ada, sandbox.url), examples=3)
    assert not found.failures
    assert len(found.operations) == len(operations(ada)), "every call was tried"
    done = sum(number for status, number in found.statuses.items() if status < 300)
    assert done > 5, "and not only in vain"
    assert {status for status in found.statuses if status >= 300} <= QUIET


def operations(person: Person) -> set[str]:
    paths = person.get("/api/openapi.json")["paths"]
    return {f"{method} {path}" for path, calls in paths.items() for method in calls if method != "parameters"}
