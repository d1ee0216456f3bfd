"""What is wrong with a document, and where: values that add up, not the first exception."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong at one place.

    >>> str(Fault(12, "parameters.saving.unit", "unit.unknown", "no unit is called 'furlong'"))
    "line 12: parameters.saving.unit: unit.unknown: no unit is called 'furlong'"
    """

    line: int
    """In the source text, from 1; the nearest enclosing line where the key itself is absent."""
    path: str
    """The key path, for example ``parameters.saving.unit``; empty for the whole file."""
    code: str
    message: str
    is_warning: bool = False
    """Whether the document loads all the same (`lint` only)."""

    @property
    def place(self) -> str:
        """Where a person looks: the line, and the key path if there is one."""
        return f"line {self.line}: {self.path}" if self.path else f"line {self.line}"

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.place}: {self.code}: {self.message}"


class DocumentFaults(Exception):  # noqa: N818 -- a state of the document, as house.md §3.8 names them
    """The document does not load; ``faults`` names every place (方法学文件有误)."""

    code = "methodology.malformed"

    def __init__(self, name: str, faults: tuple[Fault, ...]) -> None:
        """Keep ``faults`` in the order of the text."""
        assert faults
        super().__init__(name, faults)
        self.name = name
        self.faults = tuple(sorted(faults))

    def __str__(self) -> str:
        """Give one line for each fault, with the file's name in front."""
        return "\n".join(f"{self.name}: {fault}" for fault in self.faults)
