"""`python -m bench.visits`: signs the first manager in, and prints what the page races visit, as JSON.

`sessions`: the cookie's values, for the product and for the bare views. `pages`: by name, the product's address and
that of the bare view with as many rows. `headers`: by name, what a page is asked with beside the cookie.
"""

import json
import os
from urllib.parse import urlencode

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention.settings")
    django.setup()

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db.models.functions import Lower
from django.http import QueryDict

from customers.models import Customer
from customers.records.listing import Cut, page
from customers.records.timeline import part
from retention.workspace.finding import FEW, MANY, Typed, search
from retention.workspace.models import User
from retention.workspace.roles import Role

#: A small company has some with this name, a large one more than a page shows; of its first letters both have a page.
#: An e-mail address finds one customer in both, so that this search draws as much at either size.
TYPED, LETTERS = "marlo", "mar"
AS_TYPED = ["HX-Request: true", "HX-Target: found"]
MIDDLE = "m"
TODAY = 25
#: What `bench.bare.settings` signs in by.
BARE = "allauth.account.auth_backends.AuthenticationBackend"


def session(user: User, backend: str) -> str:
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = backend
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)


def pages(user: User) -> dict[str, tuple[str, str]]:
    """Each page and its floor."""
    customer = Customer.objects.filter(owner=user).exclude(email="").order_by("pk")[5]
    events = len(part(customer.pk, []).events)
    return {
        "customers": ("/customers/", "/customers/"),
        "customers by stage": ("/customers/?stage=loyal", "/customers/?stage=loyal"),
        "customers by owner": (f"/customers/?owner={user.pk}", f"/customers/?owner={user.pk}"),
        "customers by revenue": ("/customers/?sort=-revenue", "/customers/?sort=revenue"),
        "customers from the middle": (f"/customers/?after={_after(MIDDLE)}", f"/customers/?after={MIDDLE}"),
        "orders": ("/orders/", "/tables/orders/"),
        "contacts": ("/customers/people/", "/tables/contacts/"),
        "subscriptions": ("/subscriptions/", "/tables/subscriptions/"),
        "cases": ("/cases/", "/tables/cases/"),
        "search": _search(user, TYPED, MANY),
        "search by first letters": _search(user, LETTERS, MANY),
        "search as one types": _search(user, LETTERS, FEW),
        "search by e-mail address": _search(user, customer.email, MANY),
        "customer 360": (f"/customers/{customer.pk}/", f"/customers/{customer.pk}/?rows={events}"),
        "Today": ("/today/", f"/today/?rows={TODAY}"),
        "Today, everyone's": ("/today/?whose=everyones", f"/today/?rows={TODAY}"),
    }


def _search(user: User, typed: str, most: int) -> tuple[str, str]:
    found = sum(len(group.finds) for group in search(Typed(typed, most), user))
    return f"/search/?{urlencode({'q': typed})}", f"/search/?{urlencode({'q': typed, 'rows': found})}"


def _after(name: str) -> str:
    """The mark of the page that goes on some customers after a name."""
    later = Customer.objects.alias(by=Lower("name")).filter(by__gte=name)
    return page(later, Cut.read(QueryDict())).next


if __name__ == "__main__":
    manager = User.objects.filter(role=Role.ACCOUNT_MANAGER).order_by("pk")[0]
    signed_in = [session(manager, backend) for backend in (settings.AUTHENTICATION_BACKENDS[0], BARE)]
    headers = {"search as one types": AS_TYPED}
    print(json.dumps({"sessions": signed_in, "pages": pages(manager), "headers": headers}))
