"""A stranger's verifier: is this gathering neutral? Standard library, and `verify_certificate.py`.

    python verify_statement.py PROOF --headers headers.jsonl
    python verify_statement.py PROOF --rpc URL --contract ADDRESS

It trusts nobody but its *root of trust*, as `verify_certificate.py` does, which lies beside it.
From there five steps, each by hashing or adding:
1 certificates: each is true by its own five steps. 2 units: they are of the retirements that the
statement names, unit for unit, retired for this gathering and nothing else. 3 inventory: it has the
digest that is named, and its lines add up. 4 balance: what was retired and given covers what was
emitted. 5 status: what the operator says of it now fits, and is signed where a key is named.

What attendees gave is a sum over people, whom nobody names, in whole kilograms: of it there is the
operator's signed word, and the whole log to an auditor. Exit code 0: true; 1: not true; 2: cannot
be read; 4: true, but less is covered since.
"""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

try:
    from ledger.verify_certificate import (
        Json,
        Rejected,
        Trust,
        Verify,
        amount,
        ask,
        canonical,
        check,
        mirrored,
        need,
        on_chain,
        parsed,
        raw,
        sha,
    )
except ImportError:  # downloaded: the two files lie side by side
    from verify_certificate import (  # type: ignore[import-not-found,no-redef]
        Json,
        Rejected,
        Trust,
        Verify,
        amount,
        ask,
        canonical,
        check,
        mirrored,
        need,
        on_chain,
        parsed,
        raw,
        sha,
    )

FORMAT = "tanpu-neutrality-proof/1"
STATEMENT = "tanpu-neutrality/1"
GATHERING = 2
"""The purpose of a retirement for a gathering."""
MG_PER_KG = 1_000_000
STATUS = ("state", "gathering", "version", "digest", "footprint_mg", "covered_mg", "as_of")


class Stated(NamedTuple):
    """What a true statement shows."""

    gathering: str
    version: int
    footprint_mg: int
    retired_kg: int
    given_kg: int
    lacking_mg: int
    """As the operator said when the proof was asked for."""
    as_of: str

    def __str__(self) -> str:
        """Say it in one line, what is lacking first."""
        lost = f"REDUCED: {self.lacking_mg} mg lacking. " if self.lacking_mg else ""
        made_up = f"{self.retired_kg} kg retired, {self.given_kg} kg given"
        said = f"{self.gathering} version {self.version}: {self.footprint_mg} mg emitted"
        return f"{lost}true: {said}; {made_up} (status of {self.as_of})"


def check_statement(proof: Json, trust: Trust, verify: Verify | None = None) -> Stated:
    """Take the five steps; give what was found true.

    Args:
        proof: What ``/v1/public/gatherings/{id}/proof`` answers.
        trust: The root of trust.
        verify: Checks the operator's signatures.

    Raises:
        Rejected: A step failed; the message names it.
    """
    step = "1 certificates"
    try:
        need(proof["format"] == FORMAT, "of another format")
        statement = proof["statement"]
        need(statement["format"] == STATEMENT, "another statement")
        need(proof["pending"] == [], "pending: certificates are not on the chain yet")
        left_kg = [_left(check(each, trust, None, verify)) for each in proof["certificates"]]
        step = "2 units"
        retired_kg = check_units(statement, proof["certificates"])
        step = "3 inventory"
        emitted_mg = check_inventory(statement)
        step = "4 balance"
        footprint_mg, given_kg = check_balance(statement["balance"], emitted_mg, retired_kg)
        step = "5 status"
        lacking_mg, as_of = check_status(proof["status"], statement, verify)
    except Rejected as wrong:
        raise Rejected(f"{step}: {wrong}") from wrong
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, OSError) as wrong:
        raise Rejected(f"{step}: {wrong}") from wrong
    covered_mg = (sum(left_kg) + given_kg) * MG_PER_KG
    lacking_mg = max(lacking_mg, footprint_mg - covered_mg)
    named = (statement["subject"]["gathering"], statement["version"])
    return Stated(*named, footprint_mg, retired_kg, given_kg, lacking_mg, as_of)


def check_units(statement: Json, certificates: Sequence[Json]) -> int:
    """Step 2: each retirement has its certificate, for this gathering; give the kilograms."""
    listed = statement["retirements"]
    need(len(listed) == len(certificates), "as many certificates as retirements")
    need(len({each["serials"] for each in listed}) == len(listed), "one serial counted twice")
    gathering, retired_kg = statement["subject"]["gathering"], 0
    for said, certificate in zip(listed, certificates, strict=True):
        claim = certificate["claim"]
        need(claim["kind"] == "unit" and claim["purpose"] == GATHERING, "of another purpose")
        need(claim["subject"] == said["retirement"], "of another retirement")
        (part,) = claim["parts"]
        need(part["serials"] == said["serials"], "other serials")
        need(type(said["quantity_kg"]) is int, "no whole number")
        need(amount(part["amount"]) == said["quantity_kg"], "another amount")
        opening = certificate["openings"]["message"]
        need(opening and opening["text"].startswith(f"{gathering};"), "for another gathering")
        retired_kg += said["quantity_kg"]
    return retired_kg


def check_inventory(statement: Json) -> int:
    """Step 3: the inventory is the one that is named, and adds up; give what was emitted."""
    inventory = statement["inventory"]
    need(sha(canonical(inventory)) == raw(statement["inventory_sha256"]), "another inventory")
    need(inventory["gathering"] == statement["subject"]["gathering"], "of another gathering")
    need(inventory["stage"] == "actual", "only expected")
    categories = dict.fromkeys(inventory["categories"], 0)
    tiers = dict.fromkeys(statement["tiers"], 0)
    for line in inventory["lines"]:
        need(type(line["co2e_mg"]) is int and line["co2e_mg"] >= 0, "a line of no whole amount")
        categories[line["category"]] += line["co2e_mg"]
        tiers[line["tier"]] += line["co2e_mg"]
    need(categories == inventory["categories"], "categories do not add up")
    need(tiers == statement["tiers"], "tiers do not add up")
    total: int = sum(categories.values())
    need(total == inventory["total_mg"], "lines do not add up")
    return total


def check_balance(balance: Json, emitted_mg: int, retired_kg: int) -> tuple[int, int]:
    """Step 4: it covers what was emitted; give the footprint, and what was given."""
    need(all(type(each) is int and each >= 0 for each in balance.values()), "no whole amounts")
    need(balance["inventory_mg"] == emitted_mg, "another inventory")
    footprint_mg: int = emitted_mg + balance["kept_by_attendees_kg"] * MG_PER_KG
    need(balance["footprint_mg"] == footprint_mg, "the footprint does not add up")
    need(balance["retired_kg"] == retired_kg, "the retirements do not add up")
    covered_mg = (retired_kg - balance["void_kg"] + balance["given_kg"]) * MG_PER_KG
    need(balance["covered_mg"] == covered_mg, "what was made up for does not add up")
    need(covered_mg >= footprint_mg, "not covered")
    return footprint_mg, balance["given_kg"]


def check_status(status: Json, statement: Json, verify: Verify | None) -> tuple[int, str]:
    """Step 5: the operator's word is of this statement; give what is lacking by now, and when."""
    need([*status] == [*STATUS, "signature"], "another status")
    need(status["gathering"] == statement["subject"]["gathering"], "of another gathering")
    need(status["version"] == statement["version"], "of another version")
    need(raw(status["digest"]) == sha(canonical(statement)), "of another statement")
    lacking_mg = max(0, amount(status["footprint_mg"]) - amount(status["covered_mg"]))
    state = "reduced" if lacking_mg else "neutral"
    need(status["state"] == state, "it contradicts itself")
    if verify is not None:
        signed = canonical({name: status[name] for name in STATUS})
        need(verify(raw(status["signature"], 64), signed), "not signed by this key")
    return lacking_mg, status["as_of"]


def main(arguments: Sequence[str] | None = None, verify: Verify | None = None) -> int:
    """Verify the proof that the command line names; the module says the exit codes."""
    from argparse import ArgumentParser  # noqa: PLC0415 -- importing this file touches no system
    from pathlib import Path  # noqa: PLC0415 -- likewise

    parser = ArgumentParser("verify_statement.py", description="Is this gathering neutral?")
    parser.add_argument("proof", type=Path)
    trusted = parser.add_mutually_exclusive_group(required=True)
    trusted.add_argument("--headers", type=Path, help="a list of anchored header hashes")
    trusted.add_argument("--rpc", help="a chain's JSON-RPC server, with --contract")
    parser.add_argument("--contract", help="address of CarbonAnchor")
    given = parser.parse_args(arguments)
    if given.rpc and not given.contract:
        parser.error("--rpc needs --contract")
    try:
        proof = parsed(given.proof.read_bytes())
        if given.headers:
            trust = mirrored(given.headers.read_text("utf-8").splitlines())
        else:
            trust = on_chain(ask(given.rpc), given.contract)
        found = check_statement(proof, trust, verify)
        verdict = f"{found}; trusting {given.headers or given.rpc}"
        code = 4 if found.lacking_mg else 0
    except Rejected as wrong:
        verdict, code = f"REJECTED at step {wrong}", 1
    except (ValueError, KeyError, TypeError, OSError) as wrong:
        verdict, code = f"cannot read: {wrong}", 2
    letters = sys.stdout.encoding or "utf-8"  # a terminal without ours still gets a verdict
    print(verdict.encode(letters, "backslashreplace").decode(letters))  # noqa: T201 -- the output
    return code


def _left(found: Any) -> int:  # noqa: ANN401 -- a verdict of the other file
    """Give the units of a certificate that still stand."""
    return found.amount if found.remaining is None else found.remaining


if __name__ == "__main__":
    sys.exit(main())
