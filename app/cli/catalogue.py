"""``tanpu catalogue`` (方法学管理): sign a version off, approve a scenario."""

from datetime import datetime
from typing import Annotated

import typer

from app.catalogue import approve_scenario, end_approval, sign_off, withdraw_signature
from app.city import open_city
from app.cli.screen import AsJson, answer
from app.kernel.clock import day_of, now
from app.kernel.settings import Settings

commands = typer.Typer(
    help="方法学管理 Catalogue: what reviewers signed and the regulator approved."
)

Code = Annotated[str, typer.Argument(help="The methodology's code. 方法学代码")]
Version = Annotated[int, typer.Argument(help="Its version. 版本")]
Reviewer = Annotated[str, typer.Option(help="Who signs; shown publicly. 复核人")]
Note = Annotated[str, typer.Option(help="Shown beside the signature. 备注")]
Scenario = Annotated[str, typer.Argument(help="The scenario, as its document names it. 场景")]
Letter = Annotated[str, typer.Option(help="The approval's number or title. 批准文号")]
FirstDay = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day. 起")]
LastDay = Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="Last day. 止")]


@commands.command()
def sign(
    code: Code, version: Version, reviewer: Reviewer, note: Note = "", *, as_json: AsJson = False
) -> None:
    """Record that a named reviewer found this very text's quotations right (复核签字)."""
    with open_city(Settings()) as city:
        new = city.db.transact(
            sign_off, code, version, reviewer=reviewer, on=day_of(now()), note=note
        )
    people = f"{code} {version}: {'已签字 signed' if new else '已有签字 was signed already'}"
    answer({"methodology": code, "version": version, "new": new}, as_json=as_json, people=people)


@commands.command()
def approve(
    scenario: Scenario,
    first: FirstDay,
    last: LastDay,
    letter: Letter,
    *,
    as_json: AsJson = False,
) -> None:
    """Record the approval of a scenario, both days included (场景批准)."""
    if last < first:
        raise typer.BadParameter("is before --from", param_hint="--until")
    with open_city(Settings()) as city:
        new = city.db.transact(
            approve_scenario,
            scenario,
            valid_from=first.date(),
            valid_until=last.date(),
            letter=letter,
        )
    people = f"{scenario}: {'已批准 approved' if new else '已有批准 was approved already'}"
    answer({"scenario": scenario, "new": new}, as_json=as_json, people=people)


@commands.command()
def unsign(code: Code, version: Version, reviewer: Reviewer, *, as_json: AsJson = False) -> None:
    """Let a reviewer's signature hold no longer from today (撤回签字)."""
    with open_city(Settings()) as city:
        city.db.transact(withdraw_signature, code, version, reviewer=reviewer, on=day_of(now()))
    people = f"{code} {version}: 签字已撤回 signature of {reviewer} withdrawn"
    answer({"methodology": code, "version": version}, as_json=as_json, people=people)


@commands.command()
def end(scenario: Scenario, first: FirstDay, last: LastDay, *, as_json: AsJson = False) -> None:
    """Let the approval that began on --from end on --until, sooner than given (终止批准)."""
    with open_city(Settings()) as city:
        city.db.transact(end_approval, scenario, valid_from=first.date(), last=last.date())
    people = f"{scenario}: 批准至 approved until {last.date()}"
    answer({"scenario": scenario, "until": last.date().isoformat()}, as_json=as_json, people=people)
