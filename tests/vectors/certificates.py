"""Certificates of a city of its own: two classes of reductions at once, units, nothing shown."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.accounts import Account, AccountKind, held_of, system
from ledger.assets import Reduction, Unit, day_number
from ledger.certificate import (
    TEXTS,
    Certificate,
    Claim,
    ClaimPart,
    LoggedPart,
    Opened,
    Purpose,
    canonical,
    claim_commit,
    text_commit,
)
from ledger.chart import Code
from ledger.log import inclusion_path, reader
from ledger.receipt import Json
from ledger.transfers import Transfer
from tests.vectors.city import DAY, METRO_A, METRO_B, ORIGIN, UNITS, City, digest, move, owner_of

BUS_A = Reduction("SZ-BUS", 2, "公交", "A", date(2026, 1, 1))
KEY = Ed25519PrivateKey.from_private_bytes(digest("a published test key"))
SUBJECTS = ("can_01k0000000000000000000000a", "can_01k0000000000000000000000b")
RETIRED = "ret_01k0000000000000000000000c"
SERIALS = "TP1-SZ-METRO-202601-1-1-30-X"


@dataclass(frozen=True)
class Given:
    """A claim with everything that opens it."""

    claim: Json
    parts: Sequence[ClaimPart]
    salts: Sequence[bytes]
    texts: Mapping[str, str]

    def opened(self, *names: str) -> dict[str, Opened]:
        """Open some of its texts."""
        subject = self.claim["subject"]
        return {name: Opened(digest(subject, name), self.texts[name]) for name in names}


def given(
    subject: str, parts: Sequence[ClaimPart], texts: Mapping[str, str], purpose: Purpose
) -> Given:
    """Make a claim, the same each time."""
    commits = {
        f"{name}_commit": text_commit(name, digest(subject, name), texts[name]) for name in TEXTS
    }
    claim = Claim(
        kind="unit" if isinstance(parts[0].asset, Unit) else "reduction",
        subject=subject,
        parts=parts,
        purpose=purpose,
        period="2026" if purpose == Purpose.VOLUNTARY_OFFSET else None,
        day=day_number(DAY),
        **commits,
    ).to_json()
    salts = [digest(subject, "claim", place) for place in range(len(parts))]
    return Given(claim, parts, salts, texts)


CLASSES = given(
    SUBJECTS[0],
    [ClaimPart(METRO_A, 700_000), ClaimPart(BUS_A, 250_000)],
    {
        "holder": "cit_01k0000000000000000000000a",
        "beneficiary": '南山小学 "二班"',
        "message": "为地球\n一小步",
    },
    Purpose.PUBLIC_BENEFIT,
)
NAMELESS = given(
    SUBJECTS[1],
    [ClaimPart(METRO_B, 2**40)],
    {"holder": "cit_01k0000000000000000000000b", "beneficiary": "", "message": ""},
    Purpose.PUBLIC_BENEFIT,
)
RETIREMENT = given(
    RETIRED,
    [ClaimPart(UNITS, 30, SERIALS)],
    {
        "holder": "org_01k0000000000000000000000a",
        "beneficiary": "B 公司",
        "message": "2026 年度抵销",
    },
    Purpose.VOLUNTARY_OFFSET,
)


def certified_city() -> City:
    """Make a city of two epochs: everybody earns; then three give up what they have."""
    people = [owner_of(serial) for serial in range(7)]
    company = owner_of(7, AccountKind.ORGANISATION)
    city = City({who.account.id: who for who in [*people, company]})
    serials = iter(range(20_000, 30_000))

    def moved(code: Code, source: Account, target: Account, part: ClaimPart) -> Transfer:
        return move(next(serials), code, (source, target), (part.amount, part.asset))

    nature = system("issuance/reduction")
    first = [
        moved(Code.ACCRUE, nature, who.account, ClaimPart(asset, 2**41))
        for who in people
        for asset in (METRO_A, METRO_B, BUS_A)
    ]
    issued = moved(Code.ISSUE_UNIT, system("issuance/unit"), company.account, ClaimPart(UNITS, 40))
    city.close([*first, issued], bits=1)
    held = held_of(company.account)
    city.close(
        [
            moved(Code.HOLD, company.account, held, ClaimPart(UNITS, 30)),
            *(
                replace(
                    moved(code, source, system(target), part),
                    evidence=claim_commit(salt, claimed.claim),
                )
                for claimed, code, source, target in (
                    (CLASSES, Code.CANCEL, people[0].account, "cancelled"),
                    (NAMELESS, Code.CANCEL, people[1].account, "cancelled"),
                    (RETIREMENT, Code.RETIRE, held, "retired"),
                )
                for part, salt in zip(claimed.parts, claimed.salts, strict=True)
            ),
        ],
        bits=1,
    )
    return city


def signed_status(claimed: Given, remaining: int, as_of: str) -> Json:
    """Say what is left, as an operator with the published test key would."""
    total = sum(part.amount for part in claimed.parts)
    state = "valid" if remaining == total else "reduced" if remaining else "revoked"
    status: Json = {
        "state": state,
        "certificate": f"cert_{claimed.claim['subject'].partition('_')[2]}",
        "amount": str(total),
        "remaining": str(remaining),
        "as_of": as_of,
    }
    return status | {"signature": KEY.sign(canonical(status)).hex()}


def certificate(
    city: City, claimed: Given, shown: Sequence[str] = (), status: Json | None = None
) -> Json:
    """Make a certificate of the last epoch."""
    header, log = city.headers[-1], reader(city.log)
    logged: list[Json] = []
    for part, salt in zip(claimed.parts, claimed.salts, strict=True):
        evidence = claim_commit(salt, claimed.claim)
        placed = next(each for each in city.placed if each.entry.evidence_commit == evidence)
        path = inclusion_path(placed.log_index, header.log_size, log)
        place = (placed.log_index, placed.entry.debit_commit)
        logged.append(LoggedPart(part.asset, salt, *place, path).to_json())
    return Certificate(
        origin=ORIGIN,
        header=header,
        anchoring=city.anchoring(header.epoch),
        claim=claimed.claim,
        parts=logged,
        openings=claimed.opened(*shown),
        status=status,
    ).to_json()


def certificates() -> dict[str, Any]:
    """List certificates that are true, and what they are made of."""
    city = certified_city()
    reduced = signed_status(CLASSES, 250_000, "2026-03-01T00:00:00Z")
    whole = signed_status(NAMELESS, 2**40, "2026-03-01T00:00:00Z")
    pseudonym = f"pseudonym {NAMELESS.claim['beneficiary_commit'][:8]}"
    shown = certificate(city, CLASSES, ("beneficiary", "message"), reduced)
    cases = [
        ("a name shown, two classes, reduced", shown, '"南山小学 \\"二班\\""'),
        ("nothing shown", certificate(city, NAMELESS, (), whole), pseudonym),
        ("units for B, all shown, no status", certificate(city, RETIREMENT, TEXTS), '"B 公司"'),
    ]
    return {
        "key": b64encode(KEY.public_key().public_bytes_raw()).decode(),
        "headers": city.header_lines(),
        "revoked": signed_status(RETIREMENT, 0, "2026-04-01T00:00:00Z"),
        "texts": [
            {
                "name": name,
                "salt": f"0x{opened.salt.hex()}",
                "text": opened.text,
                "commit": f"0x{text_commit(name, opened.salt, opened.text).hex()}",
            }
            for name, opened in CLASSES.opened(*TEXTS).items()
        ],
        "claims": [
            {
                "claim": claimed.claim,
                "canonical": canonical(claimed.claim).decode(),
                "salt": f"0x{salt.hex()}",
                "commit": f"0x{claim_commit(salt, claimed.claim).hex()}",
            }
            for claimed in (CLASSES, NAMELESS, RETIREMENT)
            for salt in claimed.salts
        ],
        "certificates": [
            {"name": name, "beneficiary": beneficiary, "certificate": document}
            for name, document, beneficiary in cases
        ],
    }
