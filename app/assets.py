"""Files made by others that pages use: from the CDN first, from a local copy where the CDN does not answer.

    python app/assets.py        fetches the local copies (or: python -m app.assets)

Nothing here may import the rest of the app: set-up runs this file before every start.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask, Response
    from markupsafe import Markup

CDN = "https://cdn.jsdelivr.net"
STATIC = Path(__file__).parent / "static"
VENDOR = STATIC / "vendor"
SPRITE = "icons.svg"
MEMORY = "greenroom_cdn"  # the cookie that fallback.js sets for some minutes when the CDN did not answer


@dataclass(frozen=True)
class Asset:
    name: str
    package: str
    version: str
    file: str
    integrity: str  # of the file itself; never copy it from a README (htmx 4.0.1's prints 4.0.0's)
    kind: str  # "style" or "script" on the page, "source" only here
    local_name: str = ""
    on_all_pages: bool = True

    @property
    def address(self) -> str:
        return f"{CDN}/npm/{self.package}@{self.version}/{self.file}"


ASSETS = (
    Asset(
        "tabler", "@tabler/core", "1.6.1", "dist/css/tabler.min.css",
        "sha384-tT2UAGE9hxG/p5d0iGIvZ/s8El3nWWG3tfG02i8iOY5Pbf8cZZRVmcrrVs+JG5Vw", "style", "tabler.min.css",
    ),
    Asset(
        "htmx", "htmx.org", "4.0.1", "dist/htmx.min.js",
        "sha384-Qp9rdC8H7EqOoX+nR0P3RPG2Noji+qdwJlGpfzwQJsfOpp3sGwIdSP9xO3+UlEhn", "script", "htmx.min.js",
    ),
    Asset(
        "socket.io", "socket.io-client", "4.8.4", "dist/socket.io.min.js",
        "sha384-fBrXvbDtHoeKWJ/hcA6M+YGueiDW+h45I7V6F2kD1S8bOkrF9rZYPLVkCR6BLR/1", "script", "socket.io.min.js",
    ),
    Asset(
        "chart", "chart.js", "4.6.1", "dist/chart.umd.min.js",
        "sha384-Emf5ZVIUiarAdhkgtqK+5/Z5qIvM6QoVrS+qAVtfyZVuD5lIHrac0me485+Antp0", "script", "chart.umd.min.js",
        on_all_pages=False,
    ),
)  # fmt: skip

# A browser does not draw <use> from another origin, so icons are always served from here.
ICON_SOURCE = Asset(
    "icons",
    "@tabler/icons",
    "3.51.0",
    "tabler-nodes-outline.json",
    "sha384-FKT1n1+jDpenEPumWWvkiScX5R4I0Q1pUkfD/kHGGrrlbH9CwpcO1DOjBiprHqEP",
    "source",
)
_ICON_NAMES = """
    adjustments alert-circle alert-triangle archive archive-off arrow-back-up arrow-down-left arrow-left arrow-right
    ban bell bolt building-store calendar chart-bar check checks chevron-down chevron-left chevron-right chevron-up
    circle-check circle-dashed circle-x clock coin copy credit-card currency-dollar device-desktop dots download
    edit external-link eye eye-off file-import file-spreadsheet filter flag gift heart help-circle history hourglass
    inbox info-circle key link list-check loader-2 lock lock-open logout mail menu-2 message message-circle
    message-reply messages minus mood-smile moon music notes package-export paperclip photo pin pinned-off player-pause
    player-play player-stop plug plug-connected plug-connected-x plus receipt refresh report-money rotate-clockwise
    search selector send server-2 settings shield-lock speakerphone star sun tag tags trash upload user user-check
    user-off user-plus users video webhook wifi wifi-off x
"""
ICONS = tuple(_ICON_NAMES.split())


class WrongHashError(Exception):
    """A file that came is not the file that was reviewed."""


class NotFetchedError(Exception):
    """A package did not come; pages still work by the CDN."""


# --- Set-up: fetch the local copies ---


def main() -> int:
    wanted = missing()
    if not wanted:
        print("Browser files: all here.")
        return 0
    if shutil.which("npm") is None:
        print("Browser files: npm is not installed, so there are no local copies. Pages use the CDN, without icons.")
        return 0
    try:
        fetch(wanted)
    except WrongHashError as error:
        print(f"Browser files: {error}", file=sys.stderr)
        return 1
    except NotFetchedError as error:
        print(f"Browser files: {error}\nPages use the CDN for what is not here.")
        return 0
    print(f"Browser files: {len(wanted)} fetched into {VENDOR}.")
    return 0


def missing() -> list[Asset]:
    wanted = [asset for asset in ASSETS if not _is_right(VENDOR / asset.local_name, asset)]
    if not _sprite_is_right():
        wanted.append(ICON_SOURCE)
    return wanted


def fetch(wanted: list[Asset]) -> None:
    """Fetches each package on its own, so that one that does not come does not hold back the others."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max_workers=4) as pool:
        errors = [error for error in pool.map(_fetch_one, wanted) if error]
    for error in sorted(errors, key=lambda error: not isinstance(error, WrongHashError)):
        raise error


def _fetch_one(asset: Asset) -> Exception | None:
    try:
        content = _from_package(asset)
    except (WrongHashError, NotFetchedError) as error:
        return error
    if asset is ICON_SOURCE:
        _write(VENDOR / SPRITE, build_sprite(json.loads(content)).encode())
    else:
        _write(VENDOR / asset.local_name, content)
    return None


def _from_package(asset: Asset) -> bytes:
    with tempfile.TemporaryDirectory(prefix="greenroom-npm-") as folder:
        command = [
            "npm",
            "pack",
            "--silent",
            "--fetch-retries=1",
            "--fetch-timeout=60000",
            f"{asset.package}@{asset.version}",
        ]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotFetchedError(f"npm pack {asset.package} failed: {error}") from error
        archives = list(Path(folder).glob("*.tgz"))
        if done.returncode or not archives:
            raise NotFetchedError(f"npm pack {asset.package}@{asset.version} failed. {done.stderr.strip()[-400:]}")
        with tarfile.open(archives[0]) as archive:
            member = archive.extractfile(f"package/{asset.file}")
            assert member is not None
            content = member.read()
    if integrity(content) != asset.integrity:
        raise WrongHashError(
            f"{asset.package}@{asset.version} {asset.file} has the hash {integrity(content)}, not {asset.integrity}."
            " The file was not kept."
        )
    return content


def integrity(content: bytes) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def build_sprite(nodes: dict[str, list[list]]) -> str:
    """Tabler's icons (MIT licence) as one SVG of <symbol>s; stroke width stays with the page's CSS."""
    symbols = "\n".join(_symbol(name, nodes[name]) for name in ICONS)
    return f'<svg xmlns="http://www.w3.org/2000/svg">{_sprite_stamp()}\n{symbols}\n</svg>\n'


def _symbol(name: str, shapes: list[list]) -> str:
    inner = "".join(
        f"<{tag} " + " ".join(f'{key}="{value}"' for key, value in attributes.items()) + "/>"
        for tag, attributes in shapes
    )
    return (
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        f'stroke-linecap="round" stroke-linejoin="round">{inner}</symbol>'
    )


def _sprite_stamp() -> str:
    names = hashlib.sha256(" ".join(ICONS).encode()).hexdigest()[:12]
    return f"<!-- Tabler Icons {ICON_SOURCE.version}, MIT licence, set {names} -->"


def _sprite_is_right() -> bool:
    path = VENDOR / SPRITE
    return path.is_file() and _sprite_stamp() in path.read_text()


def _is_right(path: Path, asset: Asset) -> bool:
    return path.is_file() and integrity(path.read_bytes()) == asset.integrity


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: a start that is cut short leaves no half file behind."""
    unfinished = path.with_suffix(path.suffix + ".part")
    unfinished.write_bytes(content)
    unfinished.replace(path)


# --- Pages ---


def init_app(app: Flask) -> None:
    base = app.static_url_path or "/static"

    def static(name: str) -> str:
        """The address of one of our files, with its content's mark, so that browsers may keep it for good."""
        mark = _mark(name, _changed(name))
        return f"{base}/{name}?v={mark}" if mark else f"{base}/{name}"

    def asset_tags(*names: str) -> Markup:
        """The tags for the named assets, or for those of all pages; `fallback.js` must stand before them."""
        from flask import has_request_context, request
        from markupsafe import Markup

        cdn_is_out = has_request_context() and MEMORY in request.cookies
        chosen = [asset for asset in ASSETS if (asset.name in names if names else asset.on_all_pages)]
        return Markup("\n").join(Markup(_tag(asset, base, cdn_is_out)) for asset in chosen)  # noqa: S704 (constants)

    def keep_marked_files(response: Response) -> Response:
        from flask import request

        if request.endpoint == "static" and "v" in request.args and response.status_code in (200, 304):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    app.jinja_env.globals.update(static=static, asset_tags=asset_tags, icon_sprite=static(f"vendor/{SPRITE}"))
    app.after_request(keep_marked_files)


def _tag(asset: Asset, base: str, cdn_is_out: bool) -> str:
    local = f"{base}/vendor/{asset.local_name}?v={asset.version}"
    here = (VENDOR / asset.local_name).is_file()
    if here and cdn_is_out:
        return _element(asset, local, "")
    if not here:
        return _element(asset, asset.address, "")
    without_script = f'\n<noscript><link rel="stylesheet" href="{local}"></noscript>' if asset.kind == "style" else ""
    return _element(asset, asset.address, f' data-local="{local}"') + without_script


def _element(asset: Asset, address: str, more: str) -> str:
    safety = f'integrity="{asset.integrity}" crossorigin="anonymous"{more}'
    if asset.kind == "script":
        # async: a CDN that hangs must not hold back our own deferred scripts.
        return f'<script src="{address}" {safety} async></script>'
    return f'<link rel="stylesheet" href="{address}" {safety}>'


def _changed(name: str) -> float:
    try:
        return (STATIC / name).stat().st_mtime
    except OSError:
        return 0


@lru_cache(maxsize=256)
def _mark(name: str, changed: float) -> str:
    """`changed` is in the key so that an edited file gets a new mark without a restart."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10] if changed else ""


if __name__ == "__main__":
    sys.exit(main())
