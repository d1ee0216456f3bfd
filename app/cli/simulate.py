"""``tanpu simulate`` (模拟): a labelled file of simulated rides for larger loads."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from app.cli.screen import AsJson, answer
from app.kernel.clock import SHANGHAI, now
from app.simulate import rides


def simulate(
    citizens: Annotated[int, typer.Option(min=1, max=100_000_000, help="人数")],
    activities: Annotated[int, typer.Option(min=1, max=1_000_000_000, help="行为数")],
    out: Annotated[Path, typer.Option(help="NDJSON file to write. 输出文件")],
    seed: Annotated[int, typer.Option(min=0, help="随机种子")] = 1,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="YYYY-MM-DD in Asia/Shanghai; yesterday."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write rides of a simulated city over real line flows; every ride says so (模拟出行)."""
    # Of a day that is over: what lies ahead of the clock is refused.
    when = day.replace(tzinfo=SHANGHAI) if day else now() - timedelta(days=1)
    made = rides(citizens=citizens, activities=activities, seed=seed, day=when)
    with out.open("w", encoding="utf-8") as file:
        for ride in track(made, "simulating", total=activities, transient=True, disable=as_json):
            file.write(json.dumps(ride, ensure_ascii=False) + "\n")
    answer(
        {"file": str(out), "activities": activities, "citizens": citizens, "seed": seed},
        as_json=as_json,
        people=f"{out}: {activities} 次模拟出行 simulated rides, seed {seed}",
    )
