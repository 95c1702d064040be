"""Lists as somebody likes to see them: filters and order kept under a name."""

from django.db import transaction
from django.http import QueryDict
from django.urls import reverse

from retention.common import planned
from retention.workspace.models import SavedView, User

MOST = 50
_OF_LIST = f"""SELECT {planned.columns(SavedView)} FROM workspace_savedview
    WHERE place = %s AND (person_id = %s OR shared) ORDER BY name"""  # noqa: S608


class TooMany(Exception):
    """The person keeps as many views as fit on a page."""


class NameTaken(Exception):
    """The person keeps another view of the list under that name."""


def for_list(person: User, place: str) -> list[SavedView]:
    """The person's own views of a list and those that others share, by name. Every list asks for them."""
    return planned.instances(SavedView, _OF_LIST, [place, person.pk])


@transaction.atomic
def keep(person: User, place: str, name: str, query: str, *, shared: bool) -> SavedView:
    """Keep a view; one of the same name is written over. Raises TooMany, and NoReverseMatch for no list's name."""
    reverse(place)
    User.objects.select_for_update().get(pk=person.pk)
    if SavedView.objects.filter(person=person).exclude(name__iexact=name).count() >= MOST:
        raise TooMany
    SavedView.objects.filter(person=person, place=place, name__iexact=name).delete()
    return SavedView.objects.create(person=person, place=place, name=name, query=_tidy(query), shared=shared)


@transaction.atomic
def rename(view: SavedView, name: str) -> None:
    """Raises NameTaken where the person keeps another of that name."""
    User.objects.select_for_update().get(pk=view.person_id)
    alike = SavedView.objects.filter(person=view.person_id, place=view.place, name__iexact=name)
    if alike.exclude(pk=view.pk).exists():
        raise NameTaken
    SavedView.objects.filter(pk=view.pk).update(name=name)


def _tidy(query: str) -> str:
    """The query string without its page, written as we write it."""
    said = QueryDict(query, mutable=True)
    for page in ("after", "before", "page"):
        said.pop(page, None)
    return said.urlencode()
