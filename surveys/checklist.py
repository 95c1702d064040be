"""The first step of this room."""

from retention.workspace.checklist import Step, add
from surveys.models import Invitation

add(
    Step(
        4,
        "Send a survey",
        "One question and why. Whoever is unhappy becomes a task for their account manager.",
        "Go to surveys",
        "surveys:list",
        Invitation.objects.exists,
    )
)
