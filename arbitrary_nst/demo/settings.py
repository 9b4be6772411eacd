"""What whoever starts the demo decides: its limits, and where it listens."""

from __future__ import annotations

import os
from dataclasses import dataclass

from arbitrary_nst.common.checks import positive_int
from arbitrary_nst.errors import InputError

AUTH_VARIABLE = "ARBITRARY_NST_DEMO_AUTH"
_LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Settings:
    """What whoever starts the demo decides. As it stands, nobody else can reach it.

    Args:
        host: address to listen on; "0.0.0.0" is every network of the machine.
        port: to listen on; 0 takes the first free one from 7860 up.
        share: whether to open a public link through Gradio's servers.
        auth: name and password that visitors have to give, or None.
        max_pixels: largest photo or painting that is read, width times height.
        max_output_pixels: largest picture that is painted for download; larger photos are
            scaled down. A megapixel needs about 100 MB of memory.
        max_file_megabytes: largest file that can be uploaded.
        allowed_hosts: further names under which the demo is served, such as that of a proxy before
            it; "*.example.org" is every name that ends so.
        max_waiting: requests that may wait in the queue; further ones are told to come back.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    share: bool = False
    auth: tuple[str, str] | None = None
    max_pixels: int = 25_000_000
    max_output_pixels: int = 25_000_000
    max_file_megabytes: int = 30
    max_waiting: int = 200
    allowed_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("max_pixels", "max_output_pixels", "max_file_megabytes", "max_waiting"):
            positive_int(getattr(self, name), name)
        if not isinstance(self.port, int) or not 0 <= self.port < 65536:
            raise InputError(f"`port` is a number from 0 to 65535. Received: {self.port!r}.")
        if self.auth is not None and not (len(self.auth) == 2 and all(self.auth)):
            raise InputError("`auth` is a name and a password, neither of them empty.")

    @property
    def is_local(self) -> bool:
        """Whether the demo listens to this machine alone, and has no public link."""
        return self.host in _LOCAL and not self.share

    @property
    def is_open(self) -> bool:
        """Whether others than the users of this machine can reach the demo without a password."""
        return self.auth is None and not self.is_local


def read_auth(text: str | None) -> tuple[str, str] | None:
    """Splits `NAME:PASSWORD`; without a text `$ARBITRARY_NST_DEMO_AUTH`, else None.

    Raises:
        InputError: there is no colon, or nothing on one of its sides.
    """
    given = text or os.environ.get(AUTH_VARIABLE)
    if not given:
        return None
    name, _, password = given.partition(":")
    if not name or not password:
        raise InputError("The login of the demo needs the form NAME:PASSWORD.")  # not shown
    return name, password
