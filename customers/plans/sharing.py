"""The link by which a customer reads a plan: signed, for this purpose alone, until it ends or is taken back."""

from datetime import timedelta

from django.db import transaction
from django.urls import reverse

from customers.models import PlanLink, SuccessPlan
from customers.plans.keeping import open_plan, tell
from retention.common import clock
from retention.common.links import LinkExpired, LinkRefused, public_url, sign, unsign
from retention.workspace.models import User

PURPOSE = "plan"
#: How long a link may work, and how that is called.
DAYS = {30: "a month", 90: "three months", 365: "a year"}


@transaction.atomic
def share(plan_id: int, days: int, by: User) -> PlanLink:
    """A new link. Raises Refused for a closed plan, and SuccessPlan.DoesNotExist."""
    plan, now = open_plan(plan_id), clock.now()
    link = PlanLink.objects.create(plan=plan, expires_at=now + timedelta(days=days), created_by=by, created_at=now)
    tell(plan, "plan.shared", now, by=str(by))
    return link


def take_back(link: PlanLink) -> None:
    """The link works no longer; a second time changes nothing."""
    PlanLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=clock.now())


def address(link: PlanLink) -> str:
    """The absolute address to give to the customer."""
    return public_url(reverse("customers:plan_shared", args=[sign(PURPOSE, link.pk)]))


def read(token: str) -> SuccessPlan:
    """The plan that a token opens. Raises LinkRefused; LinkExpired where the link has ended or was taken back."""
    parts = unsign(PURPOSE, token)
    link = PlanLink.objects.select_related("plan__customer").filter(pk=parts[0]).first()
    if link is None:
        raise LinkRefused(token)
    if not link.works(clock.now()):
        raise LinkExpired(token)
    return link.plan
