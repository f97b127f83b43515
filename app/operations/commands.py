"""`flask --app wsgi backup FILE` and `… restore FILE`."""

from pathlib import Path

import click
from flask import Flask
from flask.cli import with_appcontext

from app.errors import DomainError
from app.formats import plural
from app.operations import backups


def init_app(app: Flask) -> None:
    app.cli.add_command(backup)
    app.cli.add_command(restore)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@with_appcontext
def backup(file: Path) -> None:
    """Writes everything into FILE, a new .tar.gz, while all goes on."""
    try:
        made = backups.back_up(file.absolute())
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    counts = made.manifest["counts"]
    click.echo(f"{made.path}: {made.bytes / 1e6:,.1f} MB in {made.seconds:.1f} s")
    click.echo(f"  {plural(counts['fans'], 'fan', 'fans')}, {plural(counts['messages'], 'message', 'messages')}")
    for store, number in made.manifest["in_buckets"].items():
        click.echo(f"  Not in it: {plural(number, 'file', 'files')} in {store}")
    for name in made.manifest["missing"]:
        click.echo(f"  Not in it, for it was not there: {name}")
    if made.manifest["secret_key_is_inside"]:
        click.echo("  The secret key is in it: whoever has this file can read the platform keys.")
    else:
        click.echo("  SECRET_KEY is not in it. Keep it elsewhere: without it the platform keys cannot be read.")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="An SQLite database that is there is set aside, not kept in use.")
@with_appcontext
def restore(file: Path, replace: bool) -> None:
    """Puts back what `backup` wrote, into the database and the instance folder of the settings.

    Nothing is sent afterwards until a person resumes each connection.
    """
    try:
        done = backups.restore(file.absolute(), replace=replace)
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    if done.set_aside:
        click.echo(f"What was there is now {done.set_aside}")
    for name, number in {**done.counted["counts"], **done.counted["sums"]}.items():
        click.echo(f"  {name:32}{number:>14,}")
    if done.differences:
        raise click.ClickException("This is not what the backup held: " + "; ".join(done.differences))
    click.echo(f"Restored as of {done.manifest['taken_at']}: every count and sum is the backup's.")
    click.echo("Every connection is paused. Look, then resume it on its page.")
