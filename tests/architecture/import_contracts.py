"""The import contract that import-linter does not sell (自有文件): what a domain keeps.

Its ``protected`` contract names protected modules and importers apart, so it cannot say "each by
its own parent". This one does, for every domain that there is or will be.
"""

from collections.abc import Iterator
from typing import Any, cast

import grimp
from importlinter import Contract, ContractCheck, fields, output


class OwnFilesContract(Contract):
    """Modules named ``own`` directly in a domain are imported by that domain alone."""

    type_name = "own_files"

    package = fields.StringField()
    own = fields.ListField(subfield=fields.StringField())
    readers = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """List every import from outside."""
        del verbose
        trespasses = sorted(self._trespasses(graph))
        return ContractCheck(kept=not trespasses, metadata={"trespasses": trespasses})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each with the way out."""
        for importer, imported in check.metadata["trespasses"]:
            output.print_error(f"- {importer} -> {imported}: import the name from the domain")

    def _trespasses(self, graph: grimp.ImportGraph) -> Iterator[tuple[str, str]]:
        top = cast("str", self.package)
        own = cast("list[str]", self.own)
        readers = cast("list[str] | None", cast("Any", self).readers) or []
        for module in graph.modules:
            parts = module.split(".")
            if parts[0] != top or len(parts) < 3 or parts[2] not in own:
                continue
            domain = ".".join(parts[:2])
            for importer in graph.find_modules_that_directly_import(module):
                if not any(f"{importer}.".startswith(f"{home}.") for home in (domain, *readers)):
                    yield importer, module
