"""From rows to wire models (对外呈现): pure."""

from collections.abc import Iterable, Sequence

from app.citizens import WHEREABOUTS
from app.citizens.consents import Interval
from app.citizens.guardians import Guardianship
from app.kernel.ids import public_id
from app.privacy.consenting import Standing
from app.privacy.profile import Profile
from app.privacy.schemas import (
    GuardianOut,
    IntervalOut,
    ProfileOut,
    ProviderConsentsOut,
    SceneOut,
)


def shown_standing(standing: Standing) -> ProviderConsentsOut:
    """Show all that was consented to at one provider."""
    scenes = sorted({each.what for each in standing.consents} - {WHEREABOUTS})
    return ProviderConsentsOut(
        provider=standing.provider.code,
        name_zh=standing.provider.name_zh,
        name_en=standing.provider.name_en,
        scenes=[_scene(scene, standing.consents) for scene in scenes],
        whereabouts=_scene(WHEREABOUTS, standing.consents),
        instruments=_history(standing.links),
    )


def shown_profile(profile: Profile) -> ProfileOut:
    """Show a profile to its owner."""
    return ProfileOut(
        id=public_id("cit", profile.id),
        joined_at=profile.joined_at,
        display_name=profile.display_name,
        birth_date=profile.birth_date,
        is_child=profile.is_child,
        guardian=None if profile.guardian is None else shown_guardianship(profile.guardian),
        automatic_exchange=profile.choices.automatic_exchange,
        language=profile.choices.language,
        erasure=profile.erasure,
    )


def shown_guardianship(guardianship: Guardianship) -> GuardianOut:
    """Show a guardianship, without who the other is."""
    return GuardianOut(id=public_id("gua", guardianship.id), since=guardianship.since)


def _scene(scene: str, consents: Sequence[Interval]) -> SceneOut:
    history = _history(each for each in consents if each.what == scene)
    return SceneOut(
        scene=scene, is_given=any(each.until is None for each in history), history=history
    )


def _history(intervals: Iterable[Interval]) -> list[IntervalOut]:
    return [IntervalOut(since=each.since, until=each.until) for each in intervals]
