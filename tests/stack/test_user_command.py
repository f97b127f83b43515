"""`flask --app wsgi user add`: how a real person gets in."""

import subprocess
from pathlib import Path

import pytest
from apiflask import APIFlask
from click.testing import Result

from app.accounts import actions, queries
from tests.people import PASSWORD
from tests.stack.stack import environment, output, python


def add(app: APIFlask, email: str, *options: str, password: str = PASSWORD) -> Result:
    arguments = ["user", "add", email, "--account", "Studio", "--password-stdin", *options]
    return app.test_cli_runner().invoke(args=arguments, input=password + "\n")


def test_a_person_is_made_who_can_sign_in(app: APIFlask) -> None:
    assert add(app, "Ada@Example.com").exit_code == 0
    with app.app_context():
        assert actions.check_sign_in("ada@example.com", PASSWORD).email == "ada@example.com"


def test_a_second_person_joins_the_account_of_that_name(app: APIFlask) -> None:
    add(app, "ada@example.com")
    add(app, "ben@example.com", "--role", "chatter")
    with app.app_context():
        ada, ben = [queries.find_user_by_email(f"{name}@example.com") for name in ("ada", "ben")]
        assert ada
        assert ben
        assert ada.memberships[0].account_id == ben.memberships[0].account_id
        assert [each.memberships[0].role for each in (ada, ben)] == ["owner", "chatter"]


@pytest.mark.parametrize(
    ("email", "options", "password", "said"),
    [
        ("ben@example.com", (), "short", "at least 10 characters"),
        ("ada@example.com", (), PASSWORD, "is here already"),
        ("ADA@example.com ", (), PASSWORD, "is here already"),
        ("ben@example.com", ("--role", "king"), PASSWORD, "'king' is not one of"),
        ("not an address", (), PASSWORD, "e-mail"),
    ],
)
def test_what_cannot_be_is_refused(
    app: APIFlask, email: str, options: tuple[str, ...], password: str, said: str
) -> None:
    add(app, "ada@example.com")
    result = add(app, email, *options, password=password)
    assert result.exit_code != 0
    assert said in result.output
    assert "Traceback" not in result.output


def test_the_command_line_itself(tmp_path: Path) -> None:
    """On an instance with tables, which `flask db upgrade` makes."""
    settings = environment(tmp_path)
    flask = ["-m", "flask", "--app", "wsgi"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    assert output(python([*flask, "db", "upgrade"], settings, **pipes))[0] == 0
    add_ada = python(
        [*flask, "user", "add", "ada@example.com", "--account", "Ada", "--password-stdin"], settings, **pipes
    )
    assert add_ada.stdin
    add_ada.stdin.write(PASSWORD + "\n")
    add_ada.stdin.flush()
    code, said = output(add_ada)
    assert (code, said) == (0, "ada@example.com may sign in to 'Ada' as owner.\n")
    assert PASSWORD not in said
