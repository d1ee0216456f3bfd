"""Tidy over the repository, and each of its checks over a sample that it must refuse."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.architecture import tidy

ROOT = Path(__file__).parents[2]
Check = Callable[[tidy.Tree], Iterator[str]]


@pytest.fixture(scope="module")
def repository() -> dict[str, str]:
    return tidy.repository(ROOT)


@pytest.mark.parametrize("check", tidy.CHECKS, ids=lambda check: check.__name__)
def test_the_repository_is_tidy(check: Check, repository: dict[str, str]) -> None:
    findings = list(check(repository))
    assert not findings, "\n".join([check.__doc__ or "", *findings])


MARK = "TO" + "DO"
REFUSED: list[tuple[Check, dict[str, str], str]] = [
    (tidy.long_files, {"app/a.py": "x = 1\n" * 401}, "app/a.py:1: 401 lines, at most 400"),
    (
        tidy.long_functions,
        {"app/a.py": "def f():\n" + "    x = 1\n" * 60},
        "app/a.py:1: f has 61 lines",
    ),
    (tidy.nameless_files, {"app/mall/service.py": ""}, "app/mall/service.py:1: 'service' is"),
    (tidy.nameless_files, {"web/src/date_utils.ts": ""}, "web/src/date_utils.ts:1: 'utils' is"),
    (tidy.overloaded_words, {"app/mall/a.py": "credit = 1"}, "app/mall/a.py:1: 'credit' alone"),
    (tidy.overloaded_words, {"app/mall/a.py": "credits = 1"}, "app/mall/a.py:1: 'credits'"),
    (tidy.overloaded_words, {"ledger/a.py": "class Event: ..."}, "ledger/a.py:1: 'event' alone"),
    (
        tidy.overloaded_words,
        {"app/citizens/a.py": "def f(account: int): ..."},
        "app/citizens/a.py:1: 'account' alone",
    ),
    (
        tidy.dead_modules,
        {
            "ledger/a.py": "from ledger.b import c",
            "ledger/b.py": "",
            "tests/t.py": "import ledger.a",
        },
        "ledger/a.py:1: nothing imports ledger.a",
    ),
    (tidy.titles, {"docs/a.md": "# One\n\n# Two\n"}, "docs/a.md:1: 2 titles"),
    (tidy.titles, {"docs/a.md": "```\n# a comment\n```\n"}, "docs/a.md:1: 0 titles"),
    (tidy.machine_paths, {"a.md": f"see /{'work'}/main"}, f"a.md:1: /{'work'}/"),
    (tidy.machine_paths, {"a.py": f"'/{'home'}/an/x'"}, f"a.py:1: /{'home'}/an/"),
    (tidy.machine_paths, {"a.toml": f"https://{'pypi'}.org/simple"}, f"a.toml:1: {'pypi'}.org"),
    (tidy.unfinished_marks, {"app/a.py": f"# {MARK}: later"}, "app/a.py:1: undone"),
    (tidy.mocks, {"tests/t.py": "from unittest import mock"}, "tests/t.py:1: imports a mock"),
    (tidy.empty_files, {"app/x/__init__.py": "\n"}, "app/x/__init__.py:1: empty"),
    (tidy.truncating_sql, {"app/a.sql": "select 1; TRUNCATE transfer"}, "app/a.sql:1: truncates"),
    (
        tidy.untranslated_refusals,
        {"app/a.py": "class Gone(Refusal):\n    '''It went.'''\n    code = 'a.gone'\n"},
        "app/a.py:1: Gone lacks title_zh",
    ),
    (
        tidy.repeated_codes,
        {"app/a.py": 'class A:\n    code = "a.b"\nclass B:\n    code = "a.b"\n'},
        "app/a.py:3: a.b is A's already",
    ),
    (
        tidy.unglossed_names,
        {"ledger/__init__.py": "from ledger.a import Transfer", "docs/glossary.md": "`Account`"},
        "ledger/__init__.py:1: docs/glossary.md lacks `Transfer`",
    ),
]


@pytest.mark.parametrize(("check", "sample", "finding"), REFUSED)
def test_each_check_refuses_its_sample(check: Check, sample: dict[str, str], finding: str) -> None:
    (found,) = check(sample)
    assert found.startswith(finding)


ALLOWED: list[tuple[Check, dict[str, str]]] = [
    (tidy.overloaded_words, {"ledger/a.py": "credit = 1", "app/books/a.py": "account = 1"}),
    (tidy.overloaded_words, {"app/a.py": "from sqlalchemy import event"}),
    (tidy.dead_modules, {"app/asgi.py": "", "app/cli/a.py": "", "Makefile": "run 'app.cli.a'"}),
    (tidy.machine_paths, {"app/a.py": "'/v1/work/items'", "uv.lock": f"{'pypi'}.org"}),
    (tidy.unfinished_marks, {"app/a.py": f"# {MARK}(#12): later"}),
    (tidy.empty_files, {"app/py.typed": "", "tests/db/__init__.py": ""}),
    (tidy.dead_modules, {"ledger/__init__.py": "from .a import x", "ledger/a.py": ""}),
    (tidy.truncating_sql, {"app/a.sql": "create trigger t before truncate on transfer"}),
    (tidy.unglossed_names, {"ledger/__init__.py": "from ledger.a import post, SCHEMA"}),
]


@pytest.mark.parametrize(("check", "sample"), ALLOWED)
def test_each_check_lets_the_exception_through(check: Check, sample: dict[str, str]) -> None:
    assert not list(check(sample))


def test_every_check_has_a_sample_that_it_refuses() -> None:
    assert {check for check, _, _ in REFUSED} == set(tidy.CHECKS)
