"""Writing a draft: one person's save never silently undoes another's, and a launched campaign stays as it is."""

from datetime import datetime

from django.db import transaction

from campaigns.models import Campaign, EmailStep
from retention.workspace.models import User


class Launched(Exception):
    """The campaign is no draft any more; what it sends can't be changed."""


class EditedMeanwhile(Exception):
    """Somebody else saved the draft since it was opened: `by` at `at`; it is at `version` now."""

    def __init__(self, by: User | None, at: datetime, version: int) -> None:
        super().__init__(version)
        self.by, self.at, self.version = by, at, version


@transaction.atomic
def save(campaign: Campaign, step: EmailStep, by: User, at: datetime) -> None:
    """Store a draft and its e-mail. `campaign.version` is the version that was opened.

    Raises EditedMeanwhile or Launched, and then stores nothing.
    """
    if campaign.pk:
        _still_ours(campaign)
    else:
        campaign.created_by, campaign.created_at = by, at
    campaign.version += 1
    campaign.edited_by, campaign.edited_at = by, at
    campaign.save()
    step.campaign = campaign
    step.save()


def _still_ours(campaign: Campaign) -> None:
    stands = Campaign.objects.select_for_update(of=("self",)).select_related("edited_by").get(pk=campaign.pk)
    if stands.state != Campaign.State.DRAFT:
        raise Launched(campaign.pk)
    if stands.version != campaign.version:
        raise EditedMeanwhile(stands.edited_by, stands.edited_at, stands.version)


def delete(campaign: Campaign) -> None:
    """Throw a draft away. Raises Launched."""
    with transaction.atomic():
        stands = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
        if stands.state != Campaign.State.DRAFT:
            raise Launched(campaign.pk)
        stands.delete()
