"""The smallest parts of a page: icons, avatars, states. A list has hundreds of them, so they are made here and kept, and
not by macros. None needs a request: the same for every viewer, also from a worker."""

from functools import lru_cache

from flask import Flask
from markupsafe import Markup, escape

from app.formats import initials, status_look, tint

KEPT = 10_000


def init_app(app: Flask) -> None:
    sprite = app.jinja_env.globals["icon_sprite"]

    @lru_cache(KEPT)
    def icon(name: str, class_: str = "") -> Markup:
        start = Markup('<svg class="icon{}" width="20" height="20" aria-hidden="true" focusable="false">')
        return start.format(f" {class_}" if class_ else "") + Markup('<use href="{}#{}"/></svg>').format(sprite, name)

    @lru_cache(KEPT)
    def status_badge(status: str, class_: str = "") -> Markup:
        word, tone, symbol = status_look(status)
        start = Markup('<span class="state state-{}{}">').format(tone, f" {class_}" if class_ else "")
        return start + icon(symbol) + escape(word) + Markup("</span>")

    app.jinja_env.globals.update(icon=icon, avatar=avatar, status_badge=status_badge)


@lru_cache(KEPT)
def avatar(name: str, url: str | None = None, size: str = "") -> Markup:
    image = ""
    if url:
        tag = '<img src="{}" alt="" loading="lazy" decoding="async" referrerpolicy="no-referrer">'
        image = Markup(tag).format(url)  # noqa: S704 (a constant)
    start = Markup('<span class="avatar{} {}" aria-hidden="true">').format(
        f" avatar-{size}" if size else "", tint(name)
    )
    return start + escape(initials(name)) + image + Markup("</span>")
