"""Lists as somebody likes to see them: filters and order kept under a name."""

from collections.abc import Sequence

from django.db import transaction
from django.http import QueryDict
from django.urls import reverse

from retention.common import planned
from retention.workspace.models import DefaultView, SavedView, User

MOST = 50
_OF_LIST = f"""SELECT {planned.columns(SavedView)}, EXISTS (
        SELECT FROM workspace_defaultview d WHERE d.view_id = workspace_savedview.id AND d.person_id = %(person)s
    ) AS is_default FROM workspace_savedview
    WHERE place = %(place)s AND (person_id = %(person)s OR shared) ORDER BY name"""  # noqa: S608


class TooMany(Exception):
    """The person keeps as many views as fit on a page."""


class NameTaken(Exception):
    """The person keeps another view of the list under that name."""


def for_list(person: User, place: str) -> list[SavedView]:
    """The person's own views of a list and those that others share, by name. Every list asks for them."""
    return planned.instances(SavedView, _OF_LIST, {"place": place, "person": person.pk})


def opening(views: Sequence[SavedView], asked: QueryDict) -> str:
    """The query string that a list opens with for whoever asks for nothing; "" where it shows everything.

    Where something is asked for it is that, so that what this leads to never leads on.
    """
    return "" if asked else next((view.query for view in views if view.is_default), "")


@transaction.atomic
def open_with(person: User, place: str, view: SavedView | None) -> None:
    """Have the person's list open with a view that they see; with none, with everything."""
    User.objects.select_for_update().get(pk=person.pk)
    DefaultView.objects.filter(person=person, place=place).delete()
    if view:
        DefaultView.objects.create(person=person, place=place, view=view)


@transaction.atomic
def keep(person: User, place: str, name: str, query: str, *, shared: bool) -> SavedView:
    """Keep a view; one of the same name is written over. Raises TooMany, and NoReverseMatch for no list's name."""
    reverse(place)
    User.objects.select_for_update().get(pk=person.pk)
    if SavedView.objects.filter(person=person).exclude(name__iexact=name).count() >= MOST:
        raise TooMany
    view = SavedView.objects.filter(person=person, place=place, name__iexact=name).first()
    view = view or SavedView(person=person, place=place)
    view.name, view.query, view.shared = name, _tidy(query), shared
    view.save()
    if not shared:
        DefaultView.objects.filter(view=view).exclude(person=person).delete()
    return view


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
