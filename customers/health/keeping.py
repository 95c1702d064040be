"""Keeping profiles and bands. Whatever is changed gets another version, and everybody is scored anew by a job."""

from django.db import transaction
from django.db.models import Max

from customers.health import circles, profiles
from customers.health.recomputing import rescore_everybody
from customers.models import HealthProfile, HealthSettings
from customers.models.health import LAST
from customers.segments import references
from retention.common import clock
from retention.workspace.models import Job, User


class Refused(Exception):
    """The profile cannot be kept; the text says why."""


@transaction.atomic
def keep(profile: HealthProfile, by: User) -> Job:
    """Store a new or changed profile. Raises Refused."""
    settings = locked()
    if profile.segment is not None:
        if circles.asked_at(profile.segment.rule, references.stored_rules()) is not None:
            raise Refused("This segment asks about health, which the profile is to decide. Choose another one.")
        if profile.position == LAST:
            highest = HealthProfile.objects.exclude(segment=None).aggregate(last=Max("position"))["last"]
            profile.position = (highest or 0) + 1
    profile.version = _another(settings)
    profile.updated_at = clock.now()
    profile.save()
    return rescore_everybody(by)


@transaction.atomic
def keep_settings(settings: HealthSettings, by: User) -> Job:
    """Store the bands and what a drop is. Scores by other bands are not compared, so every profile is another now."""
    settings.latest_version = locked().latest_version
    version = _another(settings)
    rest = profiles.everybody_else()
    rest.version = version
    rest.save()
    HealthProfile.objects.update(version=version)
    return rescore_everybody(by)


@transaction.atomic
def move_up(profile: HealthProfile, by: User) -> Job | None:
    """Have a profile tried before the one that was tried before it; None where it is tried first already."""
    locked()
    profile.refresh_from_db(fields=["position"])  # somebody else may have moved one before the lock was had
    above = HealthProfile.objects.filter(position__lt=profile.position).order_by("-position", "-pk").first()
    if above is None or profile.segment_id is None:
        return None
    profile.position, above.position = above.position, profile.position
    HealthProfile.objects.bulk_update([profile, above], ["position"])
    return rescore_everybody(by)


@transaction.atomic
def remove(profile: HealthProfile, by: User) -> Job:
    """Delete a segment's profile: its customers are measured by the next that fits."""
    locked()
    profile.delete()
    return rescore_everybody(by)


def locked() -> HealthSettings:
    """The settings, for one at a time to change anything. Whoever locks a profile too, locks these first."""
    HealthSettings.objects.get_or_create(id=1)
    return HealthSettings.objects.select_for_update().get(id=1)


def _another(settings: HealthSettings) -> int:
    settings.latest_version += 1
    settings.save()
    return settings.latest_version
