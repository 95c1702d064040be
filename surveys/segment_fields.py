"""What segments can ask about surveys. Asking and answering each record an event, so that they follow."""

from customers.segments import catalogue
from customers.segments.counting import choice, count, instant, number, text, yes_no
from customers.segments.fields import Related

_GROUPS = (("promoter", "A promoter (9–10)"), ("passive", "A passive (7–8)"), ("detractor", "A detractor (0–6)"))
_GROUP = "CASE WHEN r.score >= 9 THEN 'promoter' WHEN r.score >= 7 THEN 'passive' ELSE 'detractor' END"
_SURVEY = "(SELECT survey.name FROM surveys_survey survey WHERE survey.id = r.survey_id)"

_ANSWERS = Related(
    "surveys_answer r",
    "r.answered_at",
    (
        text("survey", "Survey", _SURVEY),
        number("score", "Score", "r.score"),
        choice("group", "It is from", _GROUP, _GROUPS),
        text("comment", "What they said", "r.comment"),
        yes_no("typed_in", "Typed in by a colleague", "r.typed_in"),
        instant("at", "Answered", "r.answered_at"),
    ),
)
_INVITATIONS = Related(
    "surveys_invitation r",
    "r.created_at",
    (
        text("survey", "Survey", _SURVEY),
        yes_no(
            "answered",
            "Was answered",
            "EXISTS (SELECT FROM surveys_answer answer WHERE answer.invitation_id = r.id)",
        ),
        instant("at", "Asked", "r.created_at"),
    ),
)

catalogue.add(
    count("answer_count", "Survey answers", "Listening", _ANSWERS),
    count("invitation_count", "Times asked in a survey", "Listening", _INVITATIONS),
)
