"""Points as the API gives them (积分的展示)."""

from datetime import date, datetime

from app.kernel.clock import day_of
from app.kernel.ids import public_id
from app.kernel.quantities import mass
from app.points.exchanging import Held, Made, Offer, Quote
from app.points.queries import Figures, PastClass, PastExchange
from app.points.rules import is_below
from app.points.schemas import (
    ClassExchangedOut,
    ClassOut,
    ClassQuoteOut,
    ExchangedOut,
    ExchangeOut,
    OutstandingOut,
    ProgrammeOut,
    QuoteOut,
    RateOut,
    RewardOut,
    SponsorOut,
)


def shown_quote(found: Quote, today: date) -> QuoteOut:
    """Show what an exchange would do."""
    points = sum(offer.points for offer in found.offers)
    short = points * found.programme.fen_per_point > found.funds.unpromised_fen
    return QuoteOut(
        programme=found.programme.code,
        classes=[_offer(offer) for offer in found.offers],
        points=points,
        expires=found.programme.points_earned(today).expires,
        owed_points=found.owed_points,
        state="paused" if found.is_throttled else "exhausted" if short else "open",
    )


def shown_made(made: Made, at: datetime) -> ExchangedOut:
    """Show an exchange that was just made."""
    done, programme = made.exchange, made.programme
    past = PastExchange(
        done.id,
        programme.code,
        at,
        None,
        done.mg,
        done.points,
        programme.points_earned(day_of(at)).expires,
        [
            PastClass(*offer.held[1:7], part.mg, part.mg_per_point, part.points)
            for part in done.parts
            for offer in made.offers
            if offer.held.asset == part.asset
        ],
    )
    shown = shown_exchange(past)
    return ExchangedOut(**dict(shown), paid_debt_points=made.paid_points)


def shown_exchange(past: PastExchange) -> ExchangeOut:
    """Show an exchange."""
    return ExchangeOut(
        id=public_id("exc", past.id),
        programme=past.programme,
        at=past.at,
        night=past.night,
        reduction=mass(past.mg),
        points=past.points,
        expires=past.expires,
        classes=[
            ClassExchangedOut(
                of=_class(each),
                reduction=mass(each.mg),
                mg_per_point=each.mg_per_point,
                points=each.points,
            )
            for each in past.classes
        ],
    )


def shown_programme(found: Figures) -> ProgrammeOut:
    """Show a programme with its figures."""
    programme, funds = found.programme, found.funds
    refused = is_below(funds.solvency, programme.refuse_below_permille)
    paused = is_below(funds.solvency, programme.pause_below_permille)
    return ProgrammeOut(
        code=programme.code,
        name_zh=programme.name_zh,
        name_en=programme.name_en,
        note=programme.note,
        opened_at=programme.opened_at,
        fen_per_point=programme.fen_per_point,
        funds_fen=funds.total_fen,
        promised_fen=funds.promised_fen,
        unpromised_fen=funds.unpromised_fen,
        solvency_permille=funds.solvency,
        pause_below_permille=programme.pause_below_permille,
        refuse_below_permille=programme.refuse_below_permille,
        exchange="paused" if refused else "automatic_paused" if paused else "open",
        rates=[RateOut.model_validate(rate._asdict()) for rate in found.rates],
        rewards=[RewardOut.model_validate(reward._asdict()) for reward in found.rewards],
        outstanding=[
            OutstandingOut(
                expires=each.expires,
                points=each.points,
                fen=each.points * programme.fen_per_point,
                counted_at=each.counted_at,
            )
            for each in found.outstanding
        ],
        sponsors=[
            SponsorOut(name=each.name, funded_fen=each.funded_fen, **each.use._asdict())
            for each in found.sponsors
        ],
    )


def _offer(offer: Offer) -> ClassQuoteOut:
    taken = offer.points * (offer.mg_per_point or 0)
    return ClassQuoteOut(
        of=_class(offer.held),
        held=mass(offer.held.mg),
        mg_per_point=offer.mg_per_point,
        points=offer.points,
        exchanged=mass(taken),
        remaining=mass(offer.held.mg - taken),
    )


def _class(of: Held | PastClass) -> ClassOut:
    return ClassOut.model_validate(
        {
            "class_id": of.key.hex(),
            "methodology": of.methodology,
            "version": of.version,
            "scenario": of.scenario,
            "grade": of.grade,
            "vintage": f"{of.vintage:%Y-%m}",
        }
    )
