"""Rows of HTML that are filled in without the template engine."""

import pytest
from django.template import Context, Template
from django.utils.safestring import SafeString, mark_safe

from retention.workspace.fragments import Fragment, options
from retention.workspace.places import page_of

ATTACK = "<script>\"&'{pk}"


def test_it_fills_its_places_and_escapes_what_is_not_safe() -> None:
    row = Fragment("customers/list_row.html")
    names = "pk url stage owner orders revenue mrr last_order last_order_exact renews renews_exact nps more"
    told = row(**{**dict.fromkeys(names.split(), ""), "name": ATTACK, "marks": mark_safe("<b>new</b>")})
    assert isinstance(told, SafeString)
    assert "<script>" not in told
    assert "&lt;script&gt;&quot;&amp;&#x27;{pk}</a><b>new</b>" in told
    with pytest.raises(KeyError):
        row(name="Ann")


def test_options_are_escaped_and_one_is_chosen() -> None:
    told = options({1: "Ann", 2: ATTACK}, "1")
    assert told.startswith('<option value="1" selected>Ann</option><option value="2">&lt;script&gt;')


def test_an_address_has_its_numbers_in_their_places() -> None:
    assert page_of("customers:detail", 12) == "/customers/12/"
    assert page_of("customers:nothing_like_that", 12) == ""


def test_what_stands_once_is_rendered_once_and_knows_nothing_of_the_page() -> None:
    page = Template("{% load once %}{% once %}{% url 'customers:list' %}{{ name }}|{% endonce %}{{ name }}")
    assert [page.render(Context({"name": name})) for name in ("Ann", "Bob")] == ["/customers/|Ann", "/customers/|Bob"]
