"""The API's own page: drawn from the OpenAPI document, so that it cannot say something else."""

from apiflask import APIFlask
from flask import current_app, render_template

from app.accounts.guard import open_to_all
from app.api import bp


@bp.get("/docs")
@bp.doc(hide=True)
@open_to_all
def docs() -> str:
    app: APIFlask = current_app  # type: ignore[assignment]
    spec = app.spec
    calls = [
        {"method": method.upper(), "path": path, **call}
        for path, methods in spec["paths"].items()  # type: ignore[index, union-attr]
        for method, call in methods.items()
        if method in ("get", "post", "put", "delete")
    ]
    return render_template("api/docs.html", calls=calls, info=spec["info"])  # type: ignore[index]
