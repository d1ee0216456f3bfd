"""The checks of the house that no linter sells (整洁), each a function from texts to findings.

A tree is a mapping of path to text, so a check runs on the repository and on three broken lines
alike; ``test_tidy.py`` does both. A finding is ``path:line: what is wrong``.
"""

import ast
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from docs.generate import coded_classes

Tree = Mapping[str, str]

FILE_LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 60
SHIPPED: Final = ("app/", "ledger/", "methodologies/")
VENDORED: Final = ("tests/architecture/schemas/", "app/static/", "app/chain_artifacts/")
CODE: Final = frozenset({".py", ".sol", ".ts", ".mjs", ".vue", ".css", ".html", ".sql"})
TEXT: Final = CODE | {".md", ".toml", ".yml", ".yaml", ".json", ".txt", ".ini", ".cfg", ".csv", ""}
LOCKS: Final = frozenset({"uv.lock", "package-lock.json"})
NAMELESS: Final = frozenset(
    {"service", "manager", "helper", "helpers", "util", "utils", "common", "misc", "base"}
    | {"handler", "processor"}
)
"""Each says that the writer had not found the noun."""
LEDGER_FOLDERS: Final = ("ledger/", "app/books/", "app/anchoring/", "app/audit/", "app/migrations/")
PEOPLE_FOLDERS: Final = ("app/citizens/", "app/providers/", "app/merchants/", "app/staff/")
ENTRY_POINTS: Final = frozenset({"app.asgi", "ledger.verify_receipt", "app.migrations.env"})
MARKERS: Final = frozenset({"py.typed"})


def repository(root: Path) -> dict[str, str]:
    """Read every text file that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=root,
        capture_output=True,
        check=True,
    )
    tree: dict[str, str] = {}
    for name in listed.stdout.decode().split("\0"):
        path = root / name
        if name and path.suffix in TEXT and path.is_file() and not name.startswith(VENDORED):
            tree[name] = path.read_text(encoding="utf-8", errors="replace")
    return tree


def _python(tree: Tree, *prefixes: str) -> Iterator[tuple[str, ast.Module]]:
    for path, text in tree.items():
        if path.endswith(".py") and path.startswith(prefixes or ("",)):
            yield path, ast.parse(text, filename=path)


def _lines(tree: Tree, suffixes: frozenset[str]) -> Iterator[tuple[str, int, str]]:
    for path, text in tree.items():
        if PurePosixPath(path).suffix in suffixes and PurePosixPath(path).name not in LOCKS:
            for number, line in enumerate(text.splitlines(), 1):
                yield path, number, line


def long_files(tree: Tree) -> Iterator[str]:
    """A file is one idea; past the limit it is two."""
    for path, text in tree.items():
        if PurePosixPath(path).suffix in CODE and (n := len(text.splitlines())) > FILE_LINES_MAX:
            yield f"{path}:1: {n} lines, at most {FILE_LINES_MAX}"


def long_functions(tree: Tree) -> Iterator[str]:
    """A function is read on one screen."""
    for path, module in _python(tree):
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES_MAX:
                    yield f"{path}:{node.lineno}: {node.name} has {length} lines"


def nameless_files(tree: Tree) -> Iterator[str]:
    """A file is named after a concept, not after a kind of code."""
    for path in tree:
        if PurePosixPath(path).suffix not in CODE:
            continue
        for part in PurePosixPath(path).with_suffix("").parts:
            if bad := NAMELESS & set(re.split(r"[_.-]", part.lower())):
                yield f"{path}:1: {min(bad)!r} is no name"


def _bound_names(module: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield node.lineno, name
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                yield node.lineno, name.lower()
            case _:
                pass


def overloaded_words(tree: Tree) -> Iterator[str]:
    """One word, one meaning (glossary): these four mean too much to stand alone."""
    for path, module in _python(tree, *SHIPPED):
        banned = {"transaction", "event", "events"}
        if not path.startswith(LEDGER_FOLDERS):
            banned |= {"credit", "credits", "debit", "debits"}
        if path.startswith(PEOPLE_FOLDERS):
            banned |= {"account", "accounts"}
        for line, name in _bound_names(module):
            if name in banned:
                yield f"{path}:{line}: {name!r} alone; see docs/glossary.md"


def _module_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imported(path: str, module: ast.Module) -> Iterator[str]:
    package = path.rpartition("/")[0].split("/")
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            home = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*home, *([node.module] if node.module else [])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def dead_modules(tree: Tree) -> Iterator[str]:
    """A module that nothing shipped imports, and no entry point names, is dead."""
    used = {
        name
        for path, module in _python(tree, *SHIPPED, "docs/", "benchmarks/")
        for name in _imported(path, module)
    }
    outside = "\n".join(text for path, text in tree.items() if not path.startswith("tests/"))
    named = set(re.findall(r"[\"' ](\w+(?:\.\w+)+)[\"':]", outside))
    for path, _ in _python(tree, *SHIPPED):
        module = _module_of(path)
        entry = module in ENTRY_POINTS or path.endswith(("__init__.py", "__main__.py"))
        if not (entry or ".versions." in module or module in used or module in named):
            yield f"{path}:1: nothing imports {module}"


def titles(tree: Tree) -> Iterator[str]:
    """A document has one title."""
    for path, text in tree.items():
        if path.endswith(".md"):
            prose = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
            if (n := len(re.findall(r"^# ", prose, flags=re.MULTILINE))) != 1:
                yield f"{path}:1: {n} titles"


_MACHINE = re.compile(r"(?<![\w./-])/(?:work|root|home/\w+|Users/\w+)/")
_HOST = re.compile(r"\b(?:pypi|pythonhosted|npmjs|debian|docker)\.(?:org|com|io)\b")


def machine_paths(tree: Tree) -> Iterator[str]:
    """A text names no one machine's folders, and no registry's host."""
    for path, number, line in _lines(tree, TEXT):
        if found := _MACHINE.search(line) or _HOST.search(line):
            yield f"{path}:{number}: {found.group()}"


_UNFINISHED = re.compile(r"\b(?:TO(?:DO)|FIX(?:ME)|X{3}|HA(?:CK))\b(?!\(#\d+\))")


def unfinished_marks(tree: Tree) -> Iterator[str]:
    """What is left undone has an issue, and the mark its number."""
    for path, number, line in _lines(tree, CODE | {".toml", ".yml", ""}):
        if path != "LICENSE" and _UNFINISHED.search(line):
            yield f"{path}:{number}: undone, and no issue number"


def mocks(tree: Tree) -> Iterator[str]:
    """A fake passes the suite of the real thing; a mock passes anything."""
    for path, module in _python(tree):
        if {"unittest.mock", "mock", "pytest_mock"} & set(_imported(path, module)):
            yield f"{path}:1: imports a mock"


def empty_files(tree: Tree) -> Iterator[str]:
    """A file that would be empty does not exist, markers apart."""
    for path, text in tree.items():
        marker = PurePosixPath(path).name in MARKERS or re.fullmatch(r"tests/.*__init__\.py", path)
        if not (text.strip() or marker):
            yield f"{path}:1: empty"


def truncating_sql(tree: Tree) -> Iterator[str]:
    """The SQL half of the ast-grep rule ``no-truncate``."""
    for path, text in tree.items():
        if path.endswith(".sql") and re.search(r"(?im)(?:^|;)\s*truncate\s+(?!on\b)", text):
            yield f"{path}:1: truncates"


def untranslated_refusals(tree: Tree) -> Iterator[str]:
    """A public code has words: a docstring, and beside a refusal's English its ``title_zh``."""
    for coded in coded_classes(tree):
        if not coded.summary:
            yield f"{coded.path}:{coded.line}: {coded.name} lacks a docstring"
        if "Refusal" in coded.bases and not coded.title_zh:
            yield f"{coded.path}:{coded.line}: {coded.name} lacks title_zh"


def repeated_codes(tree: Tree) -> Iterator[str]:
    """A code names one state of the world."""
    first: dict[str, str] = {}
    for coded in coded_classes(tree):
        if (other := first.setdefault(coded.code, coded.name)) != coded.name:
            yield f"{coded.path}:{coded.line}: {coded.code} is {other}'s already"


def unglossed_names(tree: Tree) -> Iterator[str]:
    """Every class that a domain's ``__init__`` gives out stands in the glossary."""
    glossary = tree.get("docs/glossary.md", "")
    for path, module in _python(tree, *SHIPPED):
        if not path.endswith("__init__.py"):
            continue
        own = f"{_module_of(path)}."
        given = {name.removeprefix(own) for name in _imported(path, module) if name.startswith(own)}
        for name in sorted(name.rpartition(".")[2] for name in given):
            is_class = re.fullmatch(r"[A-Z][a-z]\w*", name)
            if is_class and not _is_raised(tree, name) and f"`{name}`" not in glossary:
                yield f"{path}:1: docs/glossary.md lacks `{name}`"


def _is_raised(tree: Tree, name: str) -> bool:
    raised = re.compile(rf"^class {name}\(.*(?:Error|Exception|Refusal|Refused)\b", re.MULTILINE)
    return any(path.endswith(".py") and raised.search(text) for path, text in tree.items())


CHECKS: Final = (
    long_files,
    long_functions,
    nameless_files,
    overloaded_words,
    dead_modules,
    titles,
    machine_paths,
    unfinished_marks,
    mocks,
    empty_files,
    truncating_sql,
    untranslated_refusals,
    repeated_codes,
    unglossed_names,
)
