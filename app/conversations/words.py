"""The words of a text as search knows them: folded, and told apart here alone, so that every database has the same ones.

A run of letters and digits is a word, and so is each sign that means something: `100%` is two words, an emoji is one.
What only parts a text is none. Scripts that do not part their words are taken letter by letter.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.database import fold

LONGEST_WORD = 100  # characters; what is longer is cut, in texts and in searches alike
_UNPARTED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_PARTS = r"_.,;:!?'\"()\[\]{}/\\|*~`^<>=\-–—…‘’‚“”„«»¡¿·"
_WORD = re.compile(rf"(?:(?![{_UNPARTED}])[^\W_])+|[^\s{_PARTS}]")


def words_in(text: str) -> list[str]:
    return [found[0][:LONGEST_WORD] for found in _WORD.finditer(fold(text.replace("\0", "")))]


def search_text(text: str) -> str:
    """The words with a space between each two."""
    return " ".join(words_in(text))


@dataclass(frozen=True)
class Phrase:
    """Words that stand side by side; of the last one perhaps only the beginning."""

    words: tuple[str, ...]
    is_beginning: bool = False


@dataclass(frozen=True)
class Piece:
    text: str
    is_found: bool


def excerpt(text: str, phrases: Sequence[Phrase], around: int = 120) -> list[Piece]:
    """The part of a text where the first phrase stands, in pieces: those that were searched for, and what is between."""
    spans = _merged(span for phrase in phrases for span in _spans_of(text, phrase))
    start = max(0, spans[0][0] - around) if spans else 0
    end = min(len(text), (spans[0][1] if spans else 0) + 2 * around)
    pieces, at = [Piece("…", False)] if start else [], start
    for first, last in spans:
        if last > end:
            break
        pieces += [Piece(text[at:first], False), Piece(text[first:last], True)]
        at = last
    pieces += [Piece(text[at:end], False)] + ([Piece("…", False)] if end < len(text) else [])
    return [piece for piece in pieces if piece.text]


def _spans_of(text: str, phrase: Phrase) -> list[tuple[int, int]]:
    if text.isascii():  # nearly all are, and then each sign stays where it is
        places, folded = range(len(text)), fold(text)
    else:
        places, folded = [place for place, char in enumerate(text) for _ in fold(char)], "".join(map(fold, text))
    found = list(_WORD.finditer(folded))
    said = [each[0][:LONGEST_WORD] for each in found]
    length = len(phrase.words)
    return [
        (places[found[at].start()], _with_accents(text, places[found[at + length - 1].end() - 1] + 1))
        for at in range(len(said) - length + 1)
        if _is_here(said[at : at + length], phrase)
    ]


def _with_accents(text: str, end: int) -> int:
    """Accents may stand behind their letter as signs of their own."""
    while end < len(text) and not fold(text[end]):
        end += 1
    return end


def _is_here(said: list[str], phrase: Phrase) -> bool:
    *first, last = phrase.words
    return said[:-1] == first and (said[-1].startswith(last) if phrase.is_beginning else said[-1] == last)


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged
