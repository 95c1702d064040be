"""How this room's rows go along when two customers are made one (customers/duplicates/moving.py)."""

from customers.duplicates.moving import WORDS, Pair, carrier, change, plainly
from surveys.models import Invitation

plainly("surveys.Answer.customer")
WORDS.update({"surveys.Answer": "survey answers", "surveys.Invitation": "survey invitations"})


@carrier("surveys.Invitation.customer")
def carry_invitations(pair: Pair) -> None:
    """All of them, for somebody holds their links; where both were asked from one origin, both stay."""
    origin = """CASE WHEN EXISTS (SELECT FROM surveys_invitation own WHERE own.customer_id = %(survivor)s
                                  AND own.survey_id = t.survey_id AND own.origin = t.origin)
                THEN left(t.origin, 90) || ' of ' || %(loser)s ELSE t.origin END"""
    values = {"customer_id": "%(survivor)s", "origin": origin}
    change(pair, Invitation, values, "t.customer_id = %(loser)s")
