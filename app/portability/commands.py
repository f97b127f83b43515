"""`flask --app wsgi account export …`: for the person who runs it, with the instance's own rights."""

from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy import select

from app.accounts.models import Account, Membership, User
from app.database import db
from app.errors import DomainError
from app.portability.archive import BadArchive
from app.portability.exporting import export_account
from app.portability.importing import import_account

group = AppGroup("account", help="Whole accounts, in and out.")


@group.command("export")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def export_to(name: str, file: Path) -> None:
    """Writes all of the account NAME into FILE, a zip."""
    account_id = db.session.scalar(select(Account.id).where(Account.name == name))
    db.session.commit()
    if account_id is None:
        raise click.ClickException(f"There is no account named {name!r}.")
    if file.exists():
        raise click.ClickException(f"{file} is there already.")
    file.touch(mode=0o600)
    manifest = export_account(account_id, file)
    rows = sum(manifest.counts.values())
    click.echo(f"{name!r} is in {file}: {rows:,} rows and {manifest.files:,} files.")


@group.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def import_from(file: Path) -> None:
    """Makes the account that FILE holds. It must not be here yet."""
    try:
        account = import_account(file)
    except (BadArchive, DomainError) as error:
        raise click.ClickException(f"{error} Nothing was changed.") from error
    people = ", ".join(_members(account.id))
    click.echo(f"{account.name!r} is here. Its people: {people or 'none'}. Who is new has no password yet.")
    click.echo("Its connections are paused and have no key; nothing that was waiting is sent by itself.")


def _members(account_id: int) -> list[str]:
    rows = select(User.email).join(Membership).where(Membership.account_id == account_id).order_by(User.email)
    return list(db.session.scalars(rows))
