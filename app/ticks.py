"""What the ticker wakes (定时任务清单)."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from secrets import token_bytes
from typing import Final

import structlog
from sqlmodel import Session

from app.activities import decided, purge, settle
from app.anchoring.errors import ChainUnavailable
from app.benefit import give_by_night
from app.books import sweep_balances
from app.campaigns import run_simulations
from app.cancellations import post_due
from app.catalogue import library
from app.certificates import issue_certificates
from app.chains import chain_of, notary_of, note_registry, tell_registry, tell_units, units_on_chain
from app.citizens import sweep_codes
from app.city import City
from app.governance import carry_out_corrections, run_shadows, warn_of_renewals
from app.growth.jobs import rebuild_boards
from app.kernel.advancing import keep_months
from app.kernel.clock import day_of, now, wall
from app.kernel.db import driver
from app.kernel.ids import new_id
from app.kernel.limits import sweep as sweep_limits
from app.kernel.once import sweep as sweep_answers
from app.mall.expiring import end_offline, expire_orders
from app.mall.object_store import FileStore
from app.mall.pictures import sweep_pictures
from app.mall.telling import tell_of_tills, warn_of_ends
from app.market import expire_purchases
from app.merchants.deeds import FIRMS as MERCHANTS
from app.neutrality.reserving import expire_reservations
from app.notices import sweep_notices
from app.organisations.deeds import FIRMS as ORGANISATIONS
from app.partners import sweep_assertions
from app.points import close_points_day, exchange_automatically
from app.points.warning import warn_of_budgets, warn_of_points
from app.privacy.erasing import erase
from app.registry import (
    ConservationSeal,
    carry_out_recalls,
    close_units,
    freeze_lots,
    replace_all,
    take_retirements,
)
from app.sessions import sweep as sweep_sessions
from app.settlements import SettlementSeal, close_windows, settle_days
from app.webhooks.api import reach_of
from app.webhooks.delivering import Courier, sweep_messages
from app.webhooks.sending import Sender
from ledger.encoding import HASH_BYTES
from methodologies import Document, Settlement

JOBS_KEPT: Final = timedelta(days=7)
SENDING_S: Final = 10.0
"""How long one run begins to send webhooks; a worker that stops waits for it, and for the last."""

log = structlog.get_logger()


def anchor(city: City, at: datetime) -> None:
    """Close what is due, publish it, bring the chain up to it (关期与上链)."""
    try:
        notary_of(city).tick(lambda: chain_of(city), at=at)
    except ChainUnavailable as error:
        log.warning("chain away; the next tick goes on", reason=str(error))


def retire_units(city: City, at: datetime) -> None:
    """Give retirements that are due their serials; tell the registry on the chain (执行注销)."""
    take_retirements(city.db, at=at)
    try:
        tell_units(city, at)
    except ChainUnavailable as error:
        log.warning("chain away; the next tick goes on", reason=str(error))


def declare_methodologies(city: City, at: datetime) -> None:
    """Tell the chain's registry of versions that came or left, and note what it has (方法学上链).

    In production the registry's admin tells it; this looks whether it was done.
    """
    try:
        if not city.settings.is_production:
            tell_registry(city, at)
        note_registry(city, at)
    except ChainUnavailable as error:
        log.warning("chain away; the next tick goes on", reason=str(error))


def keep_partitions(city: City, at: datetime) -> None:
    """Make the coming months' partitions (提前建分区)."""
    city.db.transact(keep_months, at - wall())


def settle_months(city: City, at: datetime) -> None:
    """Settle every month in the acceptance window whose providers had their time (月结)."""
    today = day_of(at)
    told = today - timedelta(days=city.settings.merge_deadline_days)
    known = city.db.read(library)
    codes = sorted({document.code for document in known.values() if by_month(document)})
    for month in months_before(told, since=today - timedelta(city.settings.acceptance_window_days)):
        for code in codes:
            settle(city.db, city.db.read(decided, code), month, at=at)


def months_before(day: date, *, since: date) -> list[date]:
    """List the first days of the whole months between two days, the oldest first.

    >>> [str(month) for month in months_before(date(2026, 3, 9), since=date(2025, 12, 15))]
    ['2026-01-01', '2026-02-01']
    """
    months: list[date] = []
    month = (day.replace(day=1) - timedelta(days=1)).replace(day=1)
    while month >= since:
        months.append(month)
        month = (month - timedelta(days=1)).replace(day=1)
    return months[::-1]


def by_month(document: Document) -> bool:
    """Say whether a methodology is settled month by month."""
    return document.settlement is Settlement.BILLING_MONTH and not document.missing_parameters


def exchange_by_night(city: City, at: datetime) -> None:
    """Exchange for those who chose it what no provider can correct any more (自动兑换)."""
    exchange_automatically(city.db, deadline_days=city.settings.merge_deadline_days, at=at)


def close_the_points_day(city: City, at: datetime) -> None:
    """Let points expire, return their earmarks, and count what is out there (积分过期)."""
    close_points_day(city.db, city.worker_db, at=at)


def give_to_the_public(city: City, at: datetime) -> None:
    """Give dust and ending points of those who chose it to what they named (零头归公)."""
    days, crowd = city.settings.dust_days, city.settings.crowd_min
    give_by_night(city.db, city.worker_db, untouched_days=days, crowd_min=crowd, at=at)


def sweep_closed(city: City, at: datetime) -> None:
    """Delete the empty balances of classes that nothing comes to any more (清理空余额)."""
    today = day_of(at)
    before = today - timedelta(days=city.settings.acceptance_window_days)
    sweep_balances(city.db, before=before, today=today)


def expire_vouchers(city: City, at: datetime) -> None:
    """Give back what orders past their end still hold, and what caps nobody told of (订单到期)."""
    expire_orders(city.worker_db, at=at)
    end_offline(city.worker_db, at=at)


def close_the_units_day(city: City, at: datetime) -> None:
    """Write down where every unit is, once a day and signed (守恒结账)."""
    seal = ConservationSeal(city.keys.receipt, city.settings.origin)
    if city.db.transact(close_units, seal, units_on_chain(city), day=day_of(at), at=at) is False:
        log.error("units or funds are not conserved", day=str(day_of(at)))


def expire_reserved_units(city: City, at: datetime) -> None:
    """Give back what purchases that nobody paid for still hold (购买到期)."""
    expire_purchases(city.db, at=at)


def end_reservations(city: City, at: datetime) -> None:
    """Give back what gatherings' reservations whose day is over still hold (预留到期)."""
    expire_reservations(city.db, new_id=new_id, at=at)


def carry_out_cancellations(city: City, at: datetime) -> None:
    """Post the cancellations that are due, and certify those that are final (执行注销与出证)."""
    post_due(city.worker_db, at=at)
    issue_certificates(city.worker_db, city.keys, city.settings.public_path, at=at)


def settle_merchants(city: City, at: datetime) -> None:
    """Settle merchants for the days that are over, and let statements stand (商户结算)."""
    settle_days(city.db, SettlementSeal(city.keys.receipt, city.settings.origin), at=at)
    close_windows(city.db, at=at)


def warn_citizens(city: City, at: datetime) -> None:
    """Tell citizens of vouchers and points that end soon (到期提醒)."""
    warn_of_ends(city.worker_db, at=at)
    warn_of_points(city.worker_db, at=at)


def watch_budgets(city: City, at: datetime) -> None:
    """Tell the operator of programmes whose funds run low (预算不足提醒)."""
    warn_of_budgets(city.worker_db, at=at)


def tell_merchants(city: City, at: datetime) -> None:
    """Make messages of what tills did (核销消息)."""
    tell_of_tills(city.worker_db, at=at)


def send_webhooks(city: City, _at: datetime) -> None:
    """Send the messages that are due, by the wall's clock (投递网络回调)."""
    sender = Sender(reach_of(city.settings))
    Courier(city.worker_db, city.keys, sender).send_due(for_s=SENDING_S)


def build_boards(city: City, at: datetime) -> None:
    """Build the leaderboards anew from rows (重建排行榜)."""
    rebuild_boards(city.db, city.redis, at=at)


def freeze_begun_lots(city: City, _at: datetime) -> None:
    """Write the rows of lots that were begun, and publish their roots (冻结批次池)."""
    freeze_lots(city.db, city.keys, clock=now)


def replace_shortfalls(city: City, at: datetime) -> None:
    """Retire units of the buffer for what corrections took of issued grams (签发差额替换)."""
    replace_all(city.db, new_id=new_id, new_salt=_salt, at=at)


def carry_recalls_out(city: City, at: datetime) -> None:
    """Void the units that recalls name, and give buyers others (执行撤回)."""
    carry_out_recalls(city.db, new_id=new_id, at=at)


def watch_renewals(city: City, at: datetime) -> None:
    """Warn of scenario approvals that end within 90 days (场景续期提醒)."""
    warn_of_renewals(city.db, at=at)


def run_shadow_runs(city: City, _at: datetime) -> None:
    """Go on with shadow runs (影子运行)."""
    run_shadows(city.db)


def simulate_campaigns(city: City, at: datetime) -> None:
    """Run the simulations that wait (活动推演)."""
    run_simulations(city.db, crowd_min=city.settings.crowd_min, at=at)


def correct_factors(city: City, at: datetime) -> None:
    """Go on with ordered corrections of factors (系数更正)."""
    window_days = city.settings.acceptance_window_days
    carry_out_corrections(city.db, city.keys.receipt, at=at, window_days=window_days)


def forget_whereabouts(city: City, at: datetime) -> None:
    """Delete what may be kept until the merge deadline only, and keys past their use (清除行踪)."""
    purge(city.worker_db, city.settings, at=at)


def forget_logins(city: City, at: datetime) -> None:
    """Delete codes, sessions and counts that are past their use (清除登录记录)."""
    city.worker_db.transact(sweep_codes, before=at)
    city.worker_db.transact(sweep_sessions, before=at)
    city.worker_db.transact(sweep_limits, at=at)


def forget_answers(city: City, at: datetime) -> None:
    """Delete answers kept for a retry, and partners' assertions, past their use (清除应答记录)."""
    city.worker_db.transact(sweep_answers, before=at)
    city.worker_db.transact(sweep_assertions, before=at)


def erase_people(city: City, at: datetime) -> None:
    """Take every erasure as far as it can go (删除个人信息)."""
    erase(city.worker_db, city.keys, city.settings.origin, at=at)


def forget_messages(city: City, at: datetime) -> None:
    """Delete webhooks' messages and citizens' notices past their time (清除消息与通知)."""
    city.worker_db.transact(sweep_messages, at=at)
    city.worker_db.transact(sweep_notices, at=at)


def lapse_applications(city: City, at: datetime) -> None:
    """Refuse applications of firms that nobody decided (入驻申请失效)."""
    before = at - timedelta(days=city.settings.application_days)
    for firms in (MERCHANTS, ORGANISATIONS):
        city.db.transact(firms.lapse, before=before, at=at)


def forget_pictures(city: City, _at: datetime) -> None:
    """Delete pictures that no offer shows any more (清理无主图片)."""
    sweep_pictures(city.worker_db, FileStore(city.settings.images_path))


def sweep_jobs(city: City, at: datetime) -> None:
    """Forget slots that were done long ago (清理任务记录)."""

    def command(session: Session) -> None:
        driver(session).execute("delete from job where done_at < %s", (at - JOBS_KEPT,))

    city.worker_db.transact(command)


def _salt() -> bytes:
    return token_bytes(HASH_BYTES)


JOBS: Final[tuple[tuple[str, timedelta, Callable[[City, datetime], None]], ...]] = (
    ("keep-partitions", timedelta(hours=6), keep_partitions),
    ("anchor", timedelta(seconds=5), anchor),
    ("retire-units", timedelta(seconds=5), retire_units),
    ("declare-methodologies", timedelta(hours=1), declare_methodologies),
    ("settle-months", timedelta(hours=12), settle_months),
    ("exchange-by-night", timedelta(hours=6), exchange_by_night),
    ("expire-orders", timedelta(minutes=1), expire_vouchers),
    ("expire-purchases", timedelta(minutes=1), expire_reserved_units),
    ("end-reservations", timedelta(hours=1), end_reservations),
    ("give-by-night", timedelta(hours=1), give_to_the_public),
    ("carry-out-cancellations", timedelta(minutes=1), carry_out_cancellations),
    ("settle-merchants", timedelta(hours=1), settle_merchants),
    ("close-points-day", timedelta(hours=6), close_the_points_day),
    ("close-units-day", timedelta(hours=1), close_the_units_day),
    ("sweep-balances", timedelta(days=7), sweep_closed),
    ("forget-whereabouts", timedelta(hours=6), forget_whereabouts),
    ("forget-logins", timedelta(hours=1), forget_logins),
    ("forget-answers", timedelta(hours=6), forget_answers),
    ("erase-people", timedelta(minutes=1), erase_people),
    ("tell-merchants", timedelta(seconds=5), tell_merchants),
    ("send-webhooks", timedelta(seconds=5), send_webhooks),
    ("warn-citizens", timedelta(hours=1), warn_citizens),
    ("watch-budgets", timedelta(minutes=15), watch_budgets),
    ("forget-messages", timedelta(hours=24), forget_messages),
    ("forget-pictures", timedelta(hours=24), forget_pictures),
    ("lapse-applications", timedelta(hours=24), lapse_applications),
    ("build-boards", timedelta(hours=24), build_boards),
    ("freeze-lots", timedelta(minutes=1), freeze_begun_lots),
    ("replace-shortfalls", timedelta(hours=1), replace_shortfalls),
    ("carry-out-recalls", timedelta(minutes=1), carry_recalls_out),
    ("watch-renewals", timedelta(hours=24), watch_renewals),
    ("shadow-runs", timedelta(minutes=1), run_shadow_runs),
    ("simulate-campaigns", timedelta(minutes=1), simulate_campaigns),
    ("correct-factors", timedelta(minutes=5), correct_factors),
    ("sweep-jobs", timedelta(hours=24), sweep_jobs),
)
"""(name, how often, what); each is idempotent, for a slot whose worker died is run again."""
