"""Commands for the person who runs it: `flask --app wsgi user add …`."""

import sys

import click
from flask import Flask
from flask.cli import AppGroup

from app.accounts import actions, queries, two_step
from app.accounts.auditing import Actor, act_as
from app.accounts.models import User
from app.accounts.roles import Role
from app.errors import DomainError

user = AppGroup("user", help="People who sign in.")
AT_THE_MACHINE = Actor(name="Command line")


def init_app(app: Flask) -> None:
    app.cli.add_command(user)


@user.command("add")
@click.argument("email")
@click.option("--account", required=True, help="The creator account; made if there is none of that name.")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.OWNER.value, show_default=True)
@click.option("--name", default="", help="How the person is called; from the e-mail if left out.")
@click.option("--password-stdin", is_flag=True, required=True, help="Read the password from standard input.")
def add_user(email: str, account: str, role: str, name: str, password_stdin: bool) -> None:
    """Makes a person, with a place in an account."""
    password = sys.stdin.readline().rstrip("\n")
    act_as(AT_THE_MACHINE)
    try:
        made = actions.add_user(email=email, password=password, account_name=account, role=role, name=name)
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{made.email} may sign in to {account!r} as {role}.")


@user.command("password")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, required=True, help="Read the password from standard input.")
def change_password(email: str, password_stdin: bool) -> None:
    """Gives a person a new password; their sessions and tokens end."""
    found = _find(email)
    try:
        actions.change_password(found, sys.stdin.readline().rstrip("\n"))
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{found.email} has a new password.")


@user.command("two-step-off")
@click.argument("email")
def turn_two_step_off(email: str) -> None:
    """For a person whose phone and recovery codes are gone: the password alone lets them in."""
    found = _find(email)
    two_step.turn_off(found)
    click.echo(f"{found.email} signs in by password alone, until they set up two-step sign-in again.")


def _find(email: str) -> User:
    act_as(AT_THE_MACHINE)
    found = queries.find_user_by_email(email)
    if found is None:
        raise click.ClickException(f"Nobody has the e-mail {email}.")
    return found
