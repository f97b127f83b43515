"""The web process of `bench.live`: the product's own, and two addresses more that do nothing but emit."""

from pydantic import BaseModel

from app.accounts.guard import open_to_all
from app.api import bp
from app.extensions import get_emitter


class News(BaseModel):
    room: str
    nth: int
    kind: str
    id: int
    html: str


@bp.post("/bench/emit")
@bp.input(News)
def emit(json_data: News) -> tuple[str, int]:
    """Behind the door that every address of the API is behind: a token, the limit of calls, a body that is checked."""
    get_emitter().emit("news", json_data.model_dump(), room=json_data.room, namespace="/")
    return "", 204


from wsgi import app  # noqa: E402  it takes the API's addresses as they stand by now


@app.post("/bench/emit")
@app.input(News)
@open_to_all
def emit_unasked(json_data: News) -> tuple[str, int]:
    get_emitter().emit("news", json_data.model_dump(), room=json_data.room, namespace="/")
    return "", 204
