"""As tests/contract/test_schemathesis.py, for longer: each edge of the document, and chains of calls."""

from tests.contract.schemathesis_run import run, things_of_every_kind
from tests.people import Person


def test_no_call_answers_what_the_document_does_not_say(ada: Person, sandbox):
    found = run(ada, things_of_every_kind(ada, sandbox.url), examples=5, scenarios=5, coverage=True)
    assert not found.failures
    assert found.calls > 1000
    assert max(found.statuses) < 500
