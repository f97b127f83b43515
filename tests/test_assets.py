import io
import json
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask, render_template_string

from app import assets, formats

CSP = (
    "default-src 'self'; script-src 'self' https://cdn.jsdelivr.net; style-src 'self' https://cdn.jsdelivr.net; "
    "img-src 'self' data: https:; font-src 'self' https://cdn.jsdelivr.net; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'"
)
SHAPES = {name: [["path", {"d": "M4 4h2"}]] for name in assets.ICONS}
CONTENTS = {
    "tabler": b"body{margin:0}",
    "htmx": b"var htmx = {}",
    "socket.io": b"var io = {}",
    "chart": b"var Chart = {}",
    "icons": json.dumps(SHAPES).encode(),
}


# --- Set-up, with an npm of our own on the PATH and small packages instead of the real ones ---


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A folder of packages that `npm pack` hands out; the table names these small files and an empty vendor folder."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    monkeypatch.setattr(assets, "VENDOR", tmp_path / "vendor")
    monkeypatch.setattr(assets, "ASSETS", tuple(_small(asset) for asset in assets.ASSETS))
    monkeypatch.setattr(assets, "ICON_SOURCE", _small(assets.ICON_SOURCE))
    for asset in (*assets.ASSETS, assets.ICON_SOURCE):
        _put_on_shelf(shelf, asset, CONTENTS[asset.name])
    tools = tmp_path / "bin"
    tools.mkdir()
    npm = tools / "npm"
    npm.write_text(
        f"#!{sys.executable}\n"
        "import pathlib, shutil, sys\n"
        "wanted = sys.argv[-1].replace('/', '_') + '.tgz'\n"
        f"shelf = pathlib.Path({str(shelf)!r})\n"
        "if not (shelf / wanted).exists(): sys.exit('npm error: no such package')\n"
        "shutil.copy(shelf / wanted, '.')\n"
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    return shelf


def _small(asset):
    return replace(asset, integrity=assets.integrity(CONTENTS[asset.name]))


def _put_on_shelf(shelf: Path, asset, content: bytes):
    name = f"{asset.package}@{asset.version}".replace("/", "_") + ".tgz"
    with tarfile.open(shelf / name, "w:gz") as archive:
        entry = tarfile.TarInfo(f"package/{asset.file}")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))


def test_set_up_fetches_every_file_and_builds_the_icons(packages, capsys):
    assert assets.main() == 0
    assert "5 fetched" in capsys.readouterr().out
    assert sorted(path.name for path in assets.VENDOR.iterdir()) == [
        "chart.umd.min.js",
        "htmx.min.js",
        "icons.svg",
        "socket.io.min.js",
        "tabler.min.css",
    ]
    assert '<symbol id="inbox"' in (assets.VENDOR / "icons.svg").read_text()


def test_a_second_set_up_asks_nobody(packages, monkeypatch, capsys):
    assets.main()
    monkeypatch.setenv("PATH", "")
    assert assets.main() == 0
    assert "all here" in capsys.readouterr().out


def test_a_damaged_local_copy_is_fetched_again(packages):
    assets.main()
    (assets.VENDOR / "htmx.min.js").write_text("var htmx = 'something else'")
    assert assets.main() == 0
    assert (assets.VENDOR / "htmx.min.js").read_bytes() == CONTENTS["htmx"]


def test_a_file_with_another_hash_is_an_error_and_is_not_kept(packages, capsys):
    htmx = next(asset for asset in assets.ASSETS if asset.name == "htmx")
    _put_on_shelf(packages, htmx, b"var htmx = evil")
    assert assets.main() == 1
    assert "htmx.org@4.0.1" in capsys.readouterr().err
    assert not (assets.VENDOR / "htmx.min.js").exists()
    assert (assets.VENDOR / "tabler.min.css").exists()


def test_without_npm_set_up_warns_and_goes_on(packages, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    assert assets.main() == 0
    assert "npm is not installed" in capsys.readouterr().out


def test_a_package_that_does_not_come_is_a_warning(packages, capsys):
    next(packages.glob("socket*")).unlink()
    assert assets.main() == 0
    assert "socket.io-client@4.8.4 failed" in capsys.readouterr().out
    assert (assets.VENDOR / "htmx.min.js").exists()


def test_set_up_imports_nothing_heavy():
    code = "import sys; sys.path.insert(0, sys.argv[1]); import assets; print('flask' in sys.modules)"
    folder = str(Path(assets.__file__).parent)
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# --- Tags ---


def page_app():
    app = Flask("app", root_path=str(assets.STATIC.parent))
    app.secret_key = "test"
    assets.init_app(app)
    formats.init_app(app)
    page = (
        "<!doctype html><html><head><title>t</title><script src=\"{{ static('fallback.js') }}\"></script>"
        "{{ asset_tags() }}<link rel=stylesheet href=\"{{ static('app.css') }}\"></head>"
        '<body><a class="btn btn-primary" href="#">Go</a></body></html>'
    )
    app.add_url_rule("/", "page", lambda: render_template_string(page))

    @app.after_request
    def protect(response):
        response.headers["Content-Security-Policy"] = CSP
        return response

    return app


def test_every_tag_names_its_version_and_its_hash():
    html = page_app().test_client().get("/").text
    for asset in (each for each in assets.ASSETS if each.on_all_pages):
        assert f'"https://cdn.jsdelivr.net/npm/{asset.package}@{asset.version}/{asset.file}"' in html
        assert f'integrity="{asset.integrity}" crossorigin="anonymous"' in html


def test_a_page_can_ask_for_some_files_only():
    html = page_app().jinja_env.from_string('{{ asset_tags("tabler") }}').render()
    assert "tabler.min.css" in html
    assert "htmx" not in html


def test_what_few_pages_need_is_on_those_alone():
    app = page_app()
    assert "chart.js" not in app.test_client().get("/").text
    assert "npm/chart.js@" in app.jinja_env.from_string('{{ asset_tags("chart") }}').render()


def test_no_local_copy_is_promised_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "VENDOR", tmp_path)
    assert "data-local" not in page_app().test_client().get("/").text


def test_while_the_cdn_is_out_pages_name_the_local_copies_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "VENDOR", tmp_path)
    (tmp_path / "htmx.min.js").write_text("")
    client = page_app().test_client()
    client.set_cookie(assets.MEMORY, "out")
    html = client.get("/").text
    assert '<script src="/static/vendor/htmx.min.js?v=4.0.1" integrity=' in html
    assert "npm/htmx.org" not in html
    assert "npm/@tabler/core" in html  # what is not here can only come from the CDN


def test_our_own_files_carry_their_mark_and_may_be_kept():
    app = page_app()
    address = app.jinja_env.from_string("{{ static('app.css') }}").render()
    assert "?v=" in address
    with app.test_client() as client:
        assert "immutable" in client.get(address).headers["Cache-Control"]
        assert "immutable" not in client.get("/static/app.css").headers["Cache-Control"]
