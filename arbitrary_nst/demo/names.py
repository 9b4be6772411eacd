"""What the page calls styles: title and artist instead of the names that code uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from arbitrary_nst.api import list_styles

MOST_LETTERS = 16  # of a line on a tile


class Caption(NamedTuple):
    """What stands beside a painting; the artist is "" where nobody said who it is.

    Args:
        title: the whole of it.
        artist: with all names.
        short: the title where there is little room.
    """

    title: str
    artist: str = ""
    short: str = ""

    @property
    def label(self) -> str:
        """Title and artist, on one line."""
        return f"{self.title}, {self.artist}" if self.artist else self.title

    @property
    def choice(self) -> str:
        """The same in a list, which is as wide as its field and cuts what is longer."""
        return f"{self.short or self.title}, {self.artist}" if self.artist else self.title

    @property
    def lines(self) -> str:
        """The same on a tile, which shows two lines; where they leave something out, a third."""
        two = f"{self.short or self.title}\n{surname(self.artist)}".strip()
        return two if two == f"{self.title}\n{self.artist}".strip() else f"{two}\n{self.label}"


Captions = Mapping[str, Caption]


def captions() -> dict[str, Caption]:
    """The captions of the packaged styles, by name."""
    return {style.name: caption(style.name, style.source) for style in list_styles()}


def caption(name: str, source: str) -> Caption:
    """The caption of a style whose source is "artist, title, year"; else its name is all."""
    parts = source.split(", ")
    if len(parts) < 3:
        return Caption(name)
    title = ", ".join(parts[1:-1])
    title = title[:1].upper() + title[1:]
    # The name that code uses is a short title, too.
    short = title if len(title) <= MOST_LETTERS else name.replace("-", " ").title()
    return Caption(title, parts[0], short)


def surname(artist: str) -> str:
    """The artist where there is little room: "Hokusai", "van Gogh"; short names as they are."""
    if len(artist) < MOST_LETTERS:
        return artist
    words = artist.split()
    first = next((i for i, word in enumerate(words) if word[0].islower()), len(words) - 1)
    return " ".join(words[first:])


def title_of(name: str, captions: Captions) -> str:
    """The short title of a style; a visitor's own styles have nothing but their names."""
    return (captions[name].short or captions[name].title) if name in captions else name


def own_lines(name: str) -> str:
    """The name of a visitor's own style on a tile: on two lines where one is too short for it.

    It breaks after a space or a dash where it can, and loses its middle where two are too short as
    well. A third line, which the tile does not show, has all of it.
    """
    if len(name) <= MOST_LETTERS:
        return name
    both = shortened(name, 2 * MOST_LETTERS)
    fits = range(len(both) - MOST_LETTERS, MOST_LETTERS + 1)
    ends = [place for place in fits if both[place - 1] in " -_." or both[place] == " "]
    middle = len(both) // 2
    place = min(ends, key=lambda end: abs(end - middle)) if ends else middle
    return f"{both[:place].strip()}\n{both[place:].strip()}\n{name}"


def shortened(name: str, most: int = MOST_LETTERS) -> str:
    """A name without its middle, where it has more than so many letters."""
    if len(name) <= most:
        return name
    head = most // 2
    return f"{name[:head].rstrip()}…{name[len(name) - (most - head - 1) :].lstrip()}"


def tiles(names: list[str], captions: Captions) -> list[tuple[str, str]]:
    """The same for a choice as pictures, which have a line for the title and one for the artist."""
    return [(captions[name].lines if name in captions else own_lines(name), name) for name in names]


def choices(names: list[str], captions: Captions) -> list[tuple[str, str]]:
    """What a choice of styles shows, and the names that it stands for."""
    return [(captions[name].choice if name in captions else name, name) for name in names]


def titles(names: list[str], captions: Captions) -> list[tuple[str, str]]:
    """The same where the field is narrow, and would cut the end of a long name."""
    return [(narrow_title(name, captions), name) for name in names]


def narrow_title(name: str, captions: Captions) -> str:
    """The short title of a style, of a visitor's own one as much of the name as fits."""
    return title_of(name, captions) if name in captions else shortened(name)
