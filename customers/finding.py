"""What the search over everything finds of this room."""

from django.db.models import Case as Rank
from django.db.models import F, Q, When
from django.urls import reverse

from customers.models import Case, Contact, Interaction, Order, Product, Segment
from customers.models.cases import CASE_WORDS
from customers.models.contacts import CONTACT_WORDS
from customers.models.interactions import INTERACTION_WORDS
from customers.records import searching
from customers.records.filters import Filters
from retention.common.marking import around, has_all
from retention.common.phone_digits import few_with, is_number
from retention.common.text_search import SearchWords, beginnings, folded
from retention.common.word_index import Among, few
from retention.workspace.finding import Find, Typed, finder
from retention.workspace.models import User
from retention.workspace.places import page_of
from retention.workspace.templatetags.shell import relative

#: Of so many candidates the best are shown.
CANDIDATES = 60


def _fit_of(field: str, text: str) -> Rank:
    """What has that name first, then what begins with it, then the rest."""
    exact, begins = When(**{f"{field}__iexact": text}, then=0), When(**{f"{field}__istartswith": text}, then=1)
    return Rank(exact, begins, default=2)


def _list_of(typed: str) -> str:
    return f"{reverse('customers:list')}?{Filters(q=typed).query()}"


@finder("Customers", 1, _list_of)
def customers(typed: Typed, _person: User) -> list[Find]:
    return searching.found(typed)


@finder("Contacts", 2)
def contacts(typed: Typed, _person: User) -> list[Find]:
    """Who has that address, then whose name it is, then the rest; a contact leads to their customer."""
    if not typed.words:
        return []
    kept = Contact.objects.filter(removed_at=None)
    words = SearchWords(*CONTACT_WORDS)
    some = Q(Among(F("pk"), few(kept, words, typed.words, CANDIDATES, typed.most + 1)))
    some |= few_with(kept, "phone", words, typed.text, CANDIDATES)
    found = sorted(kept.filter(some).select_related("customer"), key=lambda row: _fit(row, typed))
    return [_contact(row, typed) for row in found[: typed.most + 1]]


def _fit(row: Contact, typed: Typed) -> tuple[bool, bool, bool, str]:
    name, text = folded(str(row)), folded(typed.text)
    return row.email.lower() != text, not name.startswith(text), not has_all(name, typed.words), name


def _contact(row: Contact, typed: Typed) -> Find:
    detail = ", ".join(filter(None, [row.role, str(row.customer)]))
    missing = [word for word in typed.words if not has_all(f"{row} {detail}", [word])]
    other = [(label, text) for label, text in (("E-mail", row.email), ("Phone", row.phone)) if text]
    hits = (each for each in other if any(has_all(each[1], [word]) for word in missing))
    place, snippet = next(hits, ("Phone", row.phone) if missing and is_number(row.phone, typed.text) else ("", ""))
    return Find(str(row), detail, page_of("customers:detail", row.customer_id), snippet, place)


@finder("Notes", 3)
def notes(typed: Typed, _person: User) -> list[Find]:
    """Interactions of every kind by what they say, the latest first."""
    if not typed.words:
        return []
    kept = Interaction.objects.filter(removed_at=None)
    some = few(kept, SearchWords(*INTERACTION_WORDS), typed.words, CANDIDATES, typed.most + 1)
    found = kept.filter(Among(F("pk"), some)).select_related("customer").order_by("-happened_at", "-pk")
    return [_note(row, typed) for row in found[: typed.most + 1]]


def _note(row: Interaction, typed: Typed) -> Find:
    said = " · ".join(filter(None, [row.text, row.outcome, row.next_step]))
    detail = f"{row.get_kind_display()}, {relative(row.happened_at)}"
    return Find(str(row.customer), detail, page_of("customers:interaction", row.pk), around(said, typed.words))


@finder("Cases", 4)
def cases(typed: Typed, _person: User) -> list[Find]:
    """By subject or reference, the latest first."""
    if not typed.words:
        return []
    some = few(Case.objects.all(), SearchWords(*CASE_WORDS), typed.words, CANDIDATES, typed.most + 1)
    found = Case.objects.filter(Among(F("pk"), some)).select_related("customer").order_by("-opened_at", "-pk")
    return [_case(row) for row in found[: typed.most + 1]]


def _case(row: Case) -> Find:
    detail = f"{row.customer}, {row.get_state_display().lower()}"
    return Find(row.subject, detail, page_of("customers:case", row.pk), row.external_id, "Reference")


@finder("Orders", 5)
def orders(typed: Typed, _person: User) -> list[Find]:
    """By the beginning of their id; an order leads to its customer."""
    found = Order.objects.filter(external_id__startswith=typed.text, customer__isnull=False).select_related("customer")
    return [
        Find(row.external_id, str(row.customer), page_of("customers:detail", row.customer.pk))
        for row in found.order_by("external_id")[: typed.most + 1]
        if row.customer
    ]


@finder("Products", 6)
def products(typed: Typed, _person: User) -> list[Find]:
    words = beginnings(typed.text)
    if not words:
        return []
    some = Product.objects.annotate(words=SearchWords("name", "sku", "category")).filter(words=words)
    found = some.order_by(_fit_of("name", typed.text), "name", "pk")
    return [Find(row.name, row.sku, page_of("customers:product", row.pk)) for row in found[: typed.most + 1]]


@finder("Segments", 7)
def segments(typed: Typed, _person: User) -> list[Find]:
    """By any part of the name. A company has some hundreds: all are read sooner than an index would be asked."""
    some = Segment.objects.filter(name__icontains=typed.text).order_by(_fit_of("name", typed.text), "name")
    found: list[Segment] = list(some[: typed.most + 1])
    return [Find(row.name, f"{row.size:,} customers", page_of("customers:segment", row.pk)) for row in found]
