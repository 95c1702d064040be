"""Whose limits hold for whom, and who is asked for more."""

from decimal import Decimal

from loyalty.models import Authority, Kind
from retention.workspace.models import User
from retention.workspace.roles import GRANTS, Can, Role

DECIDERS = [role for role, grants in GRANTS.items() if Can.GRANT_OFFERS in grants]
NONE = {
    "discount_most": Decimal(0),
    "credit_most": Decimal(0),
    "free_months_most": 0,
    "upgrade_most": 0,
    "training_most": 0,
    "offer_most": Decimal(0),
    "customer_year_most": Decimal(0),
    "month_most": Decimal(0),
}


def authority_of(user: User) -> Authority:
    """A person's own limits, else their role's; an administrator without any has no limits, others nothing at all."""
    rows = Authority.objects.filter(person=user) | Authority.objects.filter(role=user.role)
    own = sorted(rows.select_related("approver"), key=lambda row: row.person_id is None)
    if own:
        return own[0]
    return Authority(role=user.role) if user.role == Role.ADMINISTRATOR else Authority(role=user.role, **NONE)


def most_of(authority: Authority, kind: Kind) -> Decimal | None:
    """The largest offer of a kind, in the unit of `Terms.size`."""
    most = {
        Kind.DISCOUNT: authority.discount_most,
        Kind.CREDIT: authority.credit_most,
        Kind.FREE_MONTHS: authority.free_months_most,
        Kind.UPGRADE: authority.upgrade_most,
        Kind.TRAINING: authority.training_most,
    }[kind]
    return None if most is None else Decimal(most)


def approver_for(user: User, authority: Authority) -> User | None:
    """Who is asked above these limits; None is any administrator. Nobody is asked for their own offer."""
    named = authority.approver
    return named if named and named.pk != user.pk and may_decide(named) else None


def may_decide(user: User) -> bool:
    return user.is_active and user.can(Can.GRANT_OFFERS)


def decides(user: User, asked_by_id: int, approver_id: int | None) -> bool:
    """Whether an offer somebody asked for is this person's to decide: its approver's or any administrator's."""
    return user.pk != asked_by_id and may_decide(user) and (user.pk == approver_id or user.role == Role.ADMINISTRATOR)
