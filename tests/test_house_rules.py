"""Rules of the house that import-linter cannot see, each with its reason."""

import ast
import re
from itertools import accumulate
from pathlib import Path

import pytest

from app import assets
from app.config import ROOT

APP = ROOT / "app"
TABLER = assets.VENDOR / "tabler.min.css"
FOR_TESTS_ALONE = {"notes-theirs"}  # what they now say, found beside what one wrote oneself
WEB_WORDS = {"request", "session", "current_user", "g"}


def modules(*names: str) -> list[Path]:
    return [path for path in sorted(APP.rglob("*.py")) if path.stem in names]


def imported(path: Path) -> set[tuple[str, str]]:
    return {
        (node.module or "", alias.name)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize("path", modules("actions", "queries", "models", "live", "outbox", "delivery", "pace"), ids=str)
def test_the_domain_knows_no_request(path: Path):
    """It runs in workers too, and takes values."""
    used = {name for module, name in imported(path) if module in ("flask", "flask_login")}
    assert not used & WEB_WORDS


@pytest.mark.parametrize("path", [*modules("views"), *sorted((APP / "api").rglob("*.py"))], ids=str)
def test_views_and_api_leave_the_database_to_queries_and_actions(path: Path):
    """So that page and API cannot come to differ."""
    assert not imported(path) & {("app.database", "db"), ("app.database", "write")}


@pytest.mark.parametrize("path", sorted((APP / "templates").rglob("*.html")), ids=str)
def test_templates_obey_the_content_security_policy(path: Path):
    """The browser would drop these, silently for the reader."""
    text = path.read_text()
    assert not re.search(r"\sstyle=|\son\w+=[\"']|<style|javascript:|\|\s*safe\b", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)


def test_each_class_of_a_template_is_styled_or_sought_by_a_script():
    """Else a name that changed on one side alone leaves a part of the page bare. Those of a name put together count by
    no rule, and so are left out."""
    if not TABLER.exists():
        pytest.skip("left out: the browser files are not here (make setup)")
    sheets = (APP / "static" / "app.css").read_text() + TABLER.read_text()
    known = {*re.findall(r"\.(-?[a-z_][\w-]*)", sheets), *FOR_TESTS_ALONE}
    known |= {word for path in (APP / "static").glob("*.js") for word in re.findall(r"[\w-]+", path.read_text())}
    bare = {
        f"{name} in {path.relative_to(APP)}"
        for path in (APP / "templates").rglob("*.html")
        for name in classes_in(path.read_text()) - known
    }
    assert not bare


def classes_in(template: str) -> set[str]:
    plain = re.sub(r"{%.*?%}|{#.*?#}", " ", re.sub(r"{{.*?}}", "\0", template), flags=re.DOTALL)
    return {name for value in re.findall(r'\bclass="([^"]*)"', plain) for name in value.split() if "\0" not in name}


@pytest.mark.parametrize("path", sorted((APP / "templates").rglob("*.html")), ids=str)
def test_what_is_asked_for_as_one_types_is_asked_anew(path: Path):
    """By itself htmx drops a question while one is under way and one waits: the last letters would not be asked for."""
    asking = [
        tag for tag in re.findall(r"<[^>]*>", path.read_text()) if re.search(r"hx-trigger=\"[^\"]*input delay:", tag)
    ]
    assert all('hx-sync="this:replace"' in tag for tag in asking)


@pytest.mark.parametrize("name", ["_message", "_note", "_later", "_rows"])
def test_partials_that_are_broadcast_use_only_what_they_are_given(name: str):
    """A worker has no request, and all viewers get the same."""
    text = re.sub(r"(?s){#.*?#}", "", (APP / "templates" / "conversations" / f"{name}.html").read_text())
    assert not re.search(r"url_for|current_user|request\.|account\.|csrf", text)


def test_no_file_has_grown_beyond_reading():
    """Most under 150 lines; 300 is a sign to split by meaning."""
    sizes = {path: len(path.read_text().splitlines()) for path in APP.rglob("*.py")}
    assert not {str(path): size for path, size in sizes.items() if size > 300}


def test_the_repository_names_no_address_that_packages_come_from():
    for name in ("requirements.txt", "pyproject.toml", "Makefile", ".ci/run"):
        assert not re.search(
            r"--(extra-)?index-url|--find-links|https?://[^\s]*(pypi|pythonhosted|npmjs)", (ROOT / name).read_text()
        ), name


def test_the_stylesheet_closes_what_it_opens():
    """A rule that is left open swallows all that follows, and no browser complains."""
    css = (ROOT / "app/static/app.css").read_text()
    depth = list(accumulate({"{": 1, "}": -1}.get(char, 0) for char in css))
    assert min(depth) == 0 == depth[-1]
    assert max(depth) <= 2, "a rule within a rule: a brace is missing before it"
