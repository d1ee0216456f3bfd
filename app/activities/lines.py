r"""Lines of a byte stream (行): bounded, whatever the file does.

A line ends with ``\n``, ``\r\n`` or ``\r``, also mixed. A line over the limit is skipped to
its end and given as ``None``, so a line of 10 MB costs no memory and spoils no other.
"""

from collections.abc import Iterator
from typing import IO, Final

LINE_BYTES_MAX: Final = 64 * 1024
BLOCK_BYTES: Final = 1 << 20


def numbered_lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    r"""Give the lines that are not blank with their numbers, from 1, without their ends.

    >>> from io import BytesIO
    >>> list(numbered_lines(BytesIO(b"a\r\n\nb\rc")))
    [(1, b'a'), (3, b'b'), (4, b'c')]
    """
    number, rest, skipping = 0, b"", False
    for block in _unified(stream):
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            number += 1
            if skipping or len(line) > LINE_BYTES_MAX:
                skipping = False
                yield number, None
            elif line and not line.isspace():
                yield number, line
        if len(rest) > LINE_BYTES_MAX:
            rest, skipping = b"", True
    if skipping:
        yield number + 1, None
    elif rest and not rest.isspace():
        yield number + 1, rest


def _unified(stream: IO[bytes]) -> Iterator[bytes]:
    r"""Give blocks in which every line end is ``\n``; one that is cut in two is put together."""
    held = b""
    while block := stream.read(BLOCK_BYTES):
        joined = held + block
        held = b"\r" if joined.endswith(b"\r") else b""
        if b"\r" in joined:
            joined = joined.removesuffix(held).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield joined
    if held:
        yield b"\n"
