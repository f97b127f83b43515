"""The web process: `gunicorn wsgi:app`; also what `flask --app wsgi` loads."""

from app import create_app
from app.extensions import serve_sockets

app = create_app()
serve_sockets(app)
