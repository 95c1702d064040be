"""The catalogue in the API. Products are named by their codes."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.models import Product
from customers.products import editing
from customers.products.forms import CODES, ProductForm
from customers.products.list_pages import asked_of
from retention.workspace.api import paging
from retention.workspace.api.problem import of_form, wrong
from retention.workspace.api.repeating import once
from retention.workspace.api.resource import Resource, check_version, made, versioned
from retention.workspace.api.shapes import Instant, Shape, Version, checked
from retention.workspace.people import workspace_of
from retention.workspace.roles import Can


class CodesField(serializers.ListField):
    """Products by their codes."""

    child = serializers.CharField(max_length=100)

    def to_representation(self, data: Any) -> list[str]:
        return sorted(product.sku for product in data.all())


class ProductShape(Shape):
    id = serializers.IntegerField(read_only=True)
    sku = serializers.CharField(max_length=100, help_text="The product code that order lines have.")
    name = serializers.CharField(max_length=300)
    category = serializers.CharField(max_length=100, required=False, allow_blank=True)
    price = serializers.DecimalField(18, 4, required=False, allow_null=True)
    currency = serializers.CharField(max_length=3, required=False, help_text="The workspace's where nothing is said.")
    margin_share = serializers.DecimalField(5, 2, required=False, allow_null=True, help_text="In % of revenue.")
    upgrades = CodesField(source="upgrades_to", required=False, max_length=CODES)
    companions = CodesField(source="goes_with", required=False, max_length=CODES)
    updated_at = Instant(read_only=True)
    version = Version()


def there() -> QuerySet[Product]:
    return Product.objects.prefetch_related("upgrades_to", "goes_with")


def told(pk: int) -> dict[str, Any]:
    return dict(ProductShape(there().get(pk=pk)).data)


def _stored(said: dict[str, Any], product: Product) -> dict[str, Any]:
    """Keep what was sent of a product; of one that stands, what was not sent stays. Raises Problem."""
    form = ProductForm(said, instance=product)
    if product.pk:
        for name in form.fields.keys() - said.keys():
            del form.fields[name]
    if not form.is_valid():
        raise of_form(form)
    upgrades = form.cleaned_data.get("upgrades", product.upgrades_to.all() if product.pk else ())
    companions = form.cleaned_data.get("companions", product.goes_with.all() if product.pk else ())
    try:
        return told(editing.store(form.instance, list(upgrades), list(companions)).pk)
    except editing.CodeTaken as taken:
        raise wrong("sku", "Another product has this code.") from taken


class Products(Resource):
    noun = "Products"
    needs = {"GET": Can.READ, "POST": Can.EDIT_CUSTOMERS}

    @extend_schema(
        summary="List products",
        parameters=[
            *paging.PAGING,
            OpenApiParameter("q", str, description="Words of the name, the code or the category."),
            OpenApiParameter("category", str),
        ],
        responses=paging.page_of(ProductShape),
    )
    def get(self, request: Request) -> Response:
        paging.only(request, "q", "category")
        found = (
            asked_of(request.query_params).narrow(Product.objects.all()).prefetch_related("upgrades_to", "goes_with")
        )
        rows, mark = paging.page(found, request, down=False)
        return paging.answer(request, ProductShape(rows, many=True).data, mark)

    @extend_schema(summary="Add a product", request=ProductShape, responses={201: ProductShape})
    @once
    def post(self, request: Request) -> Response:
        said = {"currency": workspace_of(request).currency, **checked(ProductShape, request.data)}
        return made(request, "product", _stored(said, Product()))


class OneProduct(Resource):
    noun = "Products"
    needs = {"GET": Can.READ, "PATCH": Can.EDIT_CUSTOMERS}

    @extend_schema(summary="Read a product", responses=ProductShape)
    def get(self, request: Request, pk: int) -> Response:
        paging.only(request)
        return versioned(dict(ProductShape(get_object_or_404(there(), pk=pk)).data))

    @extend_schema(summary="Change some fields of a product", request=ProductShape, responses=ProductShape)
    @transaction.atomic
    def patch(self, request: Request, pk: int) -> Response:
        stands = get_object_or_404(Product.objects.select_for_update(), pk=pk)
        check_version(request, stands.updated_at, lambda: told(pk))
        said = {"sku": stands.sku, **checked(ProductShape, request.data, part=True)}
        return versioned(_stored(said, stands))


urlpatterns = [
    path("products/", Products.as_view(), name="products"),
    path("products/<int:pk>/", OneProduct.as_view(), name="product"),
]
