"""PostgreSQL reads figures from indexes alone only of what was vacuumed: what is new is, before it is very much."""

from sqlalchemy import text

from app.database import on_postgresql, run

OPTIONS = text("SELECT relname, reloptions FROM pg_class WHERE relname IN ('transactions', 'messages') ORDER BY 1")


def test_what_figures_read_is_vacuumed_every_so_many_rows(app):
    with app.app_context():
        found = run(OPTIONS).all() if on_postgresql() else []
        assert all("autovacuum_vacuum_insert_scale_factor=0" in (row.reloptions or ()) for row in found), found
        assert len(found) == (2 if on_postgresql() else 0)
