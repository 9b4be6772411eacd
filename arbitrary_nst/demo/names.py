"""What the page calls styles: title and artist instead of the names that code uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from arbitrary_nst.api import list_styles


class Caption(NamedTuple):
    """What stands beside a painting; the artist is "" where nobody said who it is."""

    title: str
    artist: str = ""

    @property
    def label(self) -> str:
        """Both, on one line."""
        return f"{self.title}, {self.artist}" if self.artist else self.title


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
    return Caption(title[:1].upper() + title[1:], parts[0])


def title_of(name: str, captions: Captions) -> str:
    """The title of a style; a visitor's own styles have nothing but their names."""
    return captions[name].title if name in captions else name


def tiles(names: list[str], captions: Captions) -> list[tuple[str, str]]:
    """The same for a choice as pictures, which have a line for the title and one for the artist."""
    captioned = {name: captions[name] for name in names if name in captions}
    lines = {name: f"{title}\n{artist}".strip() for name, (title, artist) in captioned.items()}
    return [(lines.get(name, name), name) for name in names]


def choices(names: list[str], captions: Captions) -> list[tuple[str, str]]:
    """What a choice of styles shows, and the names that it stands for."""
    return [(captions[name].label if name in captions else name, name) for name in names]
