"""What benches with a whole creator's business share: their options, and the places where they run."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from bench.place import Place, a_place

SHARED_BUFFERS = "shared_buffers=2GB"  # its manual says: a quarter of the memory; its default is for a toy


def parser(description: str | None) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    made.add_argument("--scale", type=float, default=1)
    made.add_argument("--keep", type=Path, help="a folder where the databases stay, and are taken from")
    return made


def places(options: argparse.Namespace) -> Iterator[tuple[str, float, Place]]:
    """The database's name, the scale to which it is filled, and where it runs: SQLite at a tenth of the scale."""
    databases = ("sqlite", "postgres") if options.database == "both" else (options.database,)
    for database in databases:
        scale = options.scale / 10 if database == "sqlite" else options.scale
        kept = options.keep / database if options.keep else None
        with a_place(database, SHARED_BUFFERS, kept=kept) as place:
            yield database, scale, place
