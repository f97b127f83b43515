"""The index of words, `message_words`: what is asked of it, in the language of each database."""

from typing import Any

from sqlalchemy import Select, cast, column, literal, select, table, text
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from app.conversations.models import Message
from app.conversations.operators import Wanted
from app.conversations.words import Phrase
from app.database import on_postgresql


def in_index(viewer_id: int, wanted: Wanted) -> list[Phrase]:
    """What is looked up by words: rare things about a message stand there as words that no text can hold. One fan's
    messages are few: these are read themselves."""
    if wanted.fan.startswith("@"):
        return []
    marks = {
        "#ppv": wanted.ppv,
        "#media": wanted.media,
        "#bought": wanted.bought,
        f"#u{viewer_id}": wanted.sender == "me",
    }
    return [*(Phrase((mark,)) for mark, is_wanted in marks.items() if is_wanted), *wanted.phrases]


def with_words(places: list[str], phrases: list[Phrase]) -> Select[Any]:
    """Ids of messages in any of these places with all these words, wherever they stand."""
    if on_postgresql():
        words = table("message_words", column("message_id", Message.id.type), column("words", TSVECTOR()))
        wanted = _in_index_language(places, phrases, "|", "&", "'", ":*")
        return select(words.c.message_id).where(words.c.words.op("@@")(cast(literal(wanted), TSQUERY())))
    index = table("message_words", column("rowid", Message.id.type))
    wanted = _in_index_language(places, phrases, "OR", "AND", '"', "*")
    return select(index.c.rowid).where(text("message_words MATCH :wanted").bindparams(wanted=wanted))


def _in_index_language(places: list[str], phrases: list[Phrase], either: str, both: str, mark: str, begun: str) -> str:
    """Each word stands in quotation marks: nothing in it is an operator."""

    def quoted(word: str) -> str:
        return mark + word.replace("\\", "\\\\" if mark == "'" else "\\").replace(mark, mark * 2) + mark

    words = [
        quoted(word) + (begun if phrase.is_beginning and place == len(phrase.words) else "")
        for phrase in phrases
        for place, word in enumerate(phrase.words, 1)
    ]
    return f" {both} ".join([f"({f' {either} '.join(map(quoted, places))})", *words])
