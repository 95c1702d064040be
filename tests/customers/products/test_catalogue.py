"""The catalogue: seen, searched, edited by two at once; what a customer bought, and what goes with it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from customers.models import Customer, Order, OrderLine, Product
from customers.products.buyers import buyers, together
from customers.products.buying import bought, companions
from customers.products.forms import ProductForm
from retention.common import clock
from tests.baseline import assert_query_count
from tests.customers.known import customer

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
GRINDER = {
    "sku": "G-1",
    "name": "Grinder",
    "category": "Machines",
    "price": "99.50",
    "currency": "EUR",
    "margin_share": "35",
    "upgrades": "G-2",
    "companions": "BRUSH, BRUSH",
}


def product(sku: str, **given: Any) -> Product:
    return Product.objects.create(**{"sku": sku, "name": f"Product {sku}", "currency": "EUR", **given})


def buys(who: Customer, *skus: str, state: str = "completed") -> None:
    number = Order.objects.count()
    order = Order.objects.create(
        external_id=f"o{number}", customer=who, ordered_at=clock.now(), amount=1, currency="EUR", state=state
    )
    for position, sku in enumerate(skus):
        OrderLine.objects.create(
            order=order, position=position, sku=sku, description=f"Words {sku}", quantity=2, unit_price=10 + position
        )


def test_it_works(signed_in: SignIn) -> None:
    better, brush = product("G-2"), product("BRUSH")
    client = signed_in("account_manager")
    assert client.post("/products/new/", GRINDER).status_code == 302
    grinder = Product.objects.get(sku="G-1")
    assert (grinder.price, grinder.margin_share) == (Decimal("99.5"), Decimal(35))
    assert (list(grinder.upgrades_to.all()), list(brush.goes_with.all())) == ([better], [grinder])
    page = client.get("/products/?q=grin&category=Machines").content.decode()
    assert "99.50 EUR" in page
    assert "Product BRUSH" not in page
    assert "Product G-2" in client.get(f"/products/{grinder.pk}/").content.decode()
    assert "Grinder" in client.get("/search/?q=grinder").content.decode()


def test_wrong_values_stand_beside_their_field(signed_in: SignIn) -> None:
    product("TAKEN")
    wrong = GRINDER | {"sku": "TAKEN", "price": "-1", "margin_share": "101", "upgrades": "NONE", "companions": ""}
    response = signed_in("account_manager").post("/products/new/", wrong)
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"sku", "price", "margin_share", "upgrades"}
    assert 'value="Grinder"' in response.content.decode()


def test_whoever_takes_a_code_second_is_told(signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """The form finds the code free, and it is taken before the product is stored."""
    product("G-1")
    monkeypatch.setattr(ProductForm, "validate_unique", lambda form: None)
    typed = GRINDER | {"upgrades": "", "companions": ""}
    response = signed_in("account_manager").post("/products/new/", typed)
    assert response.status_code == 422
    assert "Another product has this code" in str(response.context["form"].errors["sku"])
    assert response.context["form"]["name"].value() == "Grinder"


def test_the_second_editor_is_told_and_loses_nothing(signed_in: SignIn) -> None:
    row = product("G-1", name="Old")
    client = signed_in("account_manager")
    seen = client.get(f"/products/{row.pk}/edit/").context["form"]["opened"].value()
    mine = GRINDER | {"name": "Mine", "upgrades": "", "companions": "", "opened": seen}
    Product.objects.update(name="Theirs")
    response = client.post(f"/products/{row.pk}/edit/", mine)
    assert response.status_code == 422
    assert "Name “Theirs”" in response.content.decode()
    assert Product.objects.get().name == "Theirs"
    again = mine | {"opened": response.context["form"]["opened"].value()}
    assert client.post(f"/products/{row.pk}/edit/", again).status_code == 302
    assert Product.objects.get().name == "Mine"


def test_what_was_bought_and_what_goes_with_it(signed_in: SignIn) -> None:
    ada = customer("ada")
    beans, filters, brush, better = (product(sku) for sku in ("BEAN", "FILTER", "BRUSH", "BEAN-XL"))
    beans.goes_with.set([filters, brush])
    beans.upgrades_to.set([better])
    buys(ada, "BEAN", "FILTER", "UNKNOWN")
    buys(ada, "BEAN")
    buys(ada, "BRUSH", state="cancelled")
    lines = bought(ada.pk)
    assert [(line.sku, line.spent, line.pieces) for line in lines] == [
        ("BEAN", Decimal(40), Decimal(4)),
        ("UNKNOWN", Decimal(24), Decimal(2)),
        ("FILTER", Decimal(22), Decimal(2)),
    ]
    assert list(companions(lines)) == [better, brush]
    page = signed_in("analyst").get(f"/customers/{ada.pk}/products/").content.decode()
    assert "Words UNKNOWN" in page
    assert "Product BEAN-XL" in page


def test_a_product_opens_to_who_bought_it(signed_in: SignIn) -> None:
    beans, ada, bob, cyd = product("BEAN"), customer("ada"), customer("bob"), customer("cyd", name="")
    for _ in range(2):
        buys(ada, "X", "BEAN")
    buys(bob, "BEAN", "BEAN")
    buys(cyd, "BEAN", state="cancelled")
    buys(cyd, "OTHER")
    abroad = Order.objects.create(
        external_id="abroad", customer=cyd, ordered_at=clock.now(), amount=99, currency="USD", state="completed"
    )
    OrderLine.objects.create(order=abroad, position=1, sku="BEAN", quantity=3, unit_price=33)
    rows = buyers(beans, "EUR")
    told = [(row["name"], row["times"], row["pieces"], row["revenue"]) for row in rows]
    assert told == [("Ada", 2, 4, 44), ("Bob", 1, 4, 42), ("cyd", 1, 3, 0)]
    whole = together(rows)
    assert (whole["customers"], whole["again"], whole["orders"], whole["earned"]) == (3, 1, 4, 86)
    client = signed_in("analyst")
    assert f'hx-get="/products/{beans.pk}/customers/"' in client.get(f"/products/{beans.pk}/").content.decode()
    page = client.get(f"/products/{beans.pk}/customers/?sort=name").content.decode()
    assert page.index(f'href="/customers/{ada.pk}/"') < page.index(f'href="/customers/{cyd.pk}/"')
    assert "86.00 EUR" in page
    unsold = product("DUST")
    assert "Nobody has bought it yet" in client.get(f"/products/{unsold.pk}/customers/").content.decode()


def test_the_file_is_what_the_list_shows(signed_in: SignIn) -> None:
    product("A", category="x", price=Decimal("1.5"))
    product("B", category="y", name="=1+1")
    client = signed_in("analyst")

    def file(query: str) -> list[str]:
        return b"".join(client.get(f"/products/?format=csv&{query}")).decode("utf-8-sig").splitlines()

    assert file("sort=-sku") == [
        "Code,Product,Category,Price,Currency,Margin in %",
        "B,'=1+1,y,,EUR,",
        "A,Product A,x,1.50,EUR,",
    ]
    assert len(file("category=x")) == 2


def test_who_may_only_read_is_refused(signed_in: SignIn) -> None:
    row, analyst = product("A"), signed_in("analyst")
    assert [analyst.get(f"/products/{path}").status_code for path in ("", f"{row.pk}/", "new/", f"{row.pk}/edit/")] == [
        200,
        200,
        403,
        403,
    ]


def test_pages_take_a_fixed_number_of_queries(signed_in: SignIn) -> None:
    ada, client = customer("ada"), signed_in("account_manager")
    for size in (1, 8):
        for number in range(size):
            made = product(f"{size}-{number}", category="Machines")
            made.goes_with.set(Product.objects.exclude(pk=made.pk))
            buys(ada, made.sku)
        assert_query_count("products", client, "/products/")
        assert_query_count("product", client, f"/products/{made.pk}/")
        assert_query_count("who bought a product", client, f"/products/{made.pk}/customers/")
        assert_query_count("products of a customer", client, f"/customers/{ada.pk}/products/")
