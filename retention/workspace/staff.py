"""The people who work here: letting them in, changing what they may, letting them go."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from retention.common.links import public_url
from retention.workspace.models import User, Workspace
from retention.workspace.roles import Role


class LastAdministrator(Exception):
    """Nobody would be left who can administer the workspace."""


def invite(person: User) -> None:
    """Store a new person, without a password, and send them the link to set one."""
    person.set_unusable_password()
    person.save()
    context = {"workspace": Workspace.current(), "person": person, "link": password_link(person)}
    subject = f"Your account at {context['workspace']}"
    send_mail(subject, render_to_string("workspace/invitation.txt", context), None, [person.email])


def password_link(person: User) -> str:
    """The address where this person, once and for three days, sets a password."""
    key = default_token_generator.make_token(person)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(person), "key": key})
    return public_url(path)


@transaction.atomic
def change(person: User) -> None:
    """Store a person as changed. Raises LastAdministrator where no active administrator would be left."""
    # Whoever changes people waits here, so that two cannot each take the other for the last one.
    Workspace.objects.select_for_update().get(id=1)
    person.save()
    if not User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).exists():
        raise LastAdministrator
