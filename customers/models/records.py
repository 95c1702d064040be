"""Records: customers with their consent, orders with their lines.

A foreign key has no index of its own where another index of its table begins with it: rows come in by the million.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from customers.models.teams import Team
from retention.common import clock
from retention.common.phone_digits import ending_index
from retention.common.text_search import JsonValues
from retention.common.word_index import word_indexes
from retention.workspace.models import User

#: What a customer is found by: beside these columns the values of their custom fields, such as a city.
CUSTOMER_WORDS = ("name", "email", "external_id", "phone", JsonValues("attributes"))


class Customer(models.Model):
    """A company or a person who buys. `external_id` is the id the company's other systems know them by."""

    class Kind(models.TextChoices):
        COMPANY = "company", "Company"
        PERSON = "person", "Person"

    external_id = models.CharField(max_length=200, unique=True, db_collation="C")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PERSON)
    name = models.CharField(max_length=300, blank=True)
    email = models.EmailField("e-mail", blank=True)
    phone = models.CharField(max_length=40, blank=True)
    country = models.CharField(max_length=100, blank=True)
    language = models.CharField(max_length=10, blank=True)
    time_zone = models.CharField(max_length=64, blank=True, help_text="Empty: the workspace's.")
    owner = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="customers", db_index=False)
    team = models.ForeignKey(Team, models.SET_NULL, null=True, blank=True, related_name="customers", db_index=False)
    is_key_account = models.BooleanField("key account", default=False, db_default=False)
    persona = models.CharField(max_length=100, blank=True, default="", db_default="")
    source = models.CharField(max_length=100, blank=True)
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    joined_at = models.DateTimeField(null=True, blank=True, help_text="When they became known, as the source says.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        indexes = [
            models.Index(Lower("email"), name="customer_by_email"),
            models.Index(Lower("name"), "id", name="customer_by_name"),
            models.Index(F("owner"), Lower("name"), F("id"), name="customer_by_owner"),
            models.Index(fields=["country"], name="customer_by_country"),
            models.Index(fields=["team"], name="customer_by_team", condition=Q(team__isnull=False)),
            models.Index(fields=["id"], name="customer_key_accounts", condition=Q(is_key_account=True)),
            GinIndex(fields=["tags"], name="customer_by_tag"),
            GinIndex(fields=["attributes"], opclasses=["jsonb_path_ops"], name="customer_by_attribute"),
            *word_indexes("customer_by_word", *CUSTOMER_WORDS),
            ending_index("customer_by_phone_end", "phone"),
        ]
        constraints = [models.CheckConstraint(condition=~Q(external_id=""), name="customer_has_id")]

    def __str__(self) -> str:
        return self.name or self.email or self.external_id


class Channel(models.TextChoices):
    EMAIL = "email", "E-mail"
    SMS = "sms", "Text message"


class Consent(models.Model):
    """Whether a customer agreed to marketing on a channel, since when, and what proves it. No row: never asked."""

    class State(models.TextChoices):
        GRANTED = "granted", "Agreed"
        WITHDRAWN = "withdrawn", "Withdrawn"

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="consents", db_index=False)
    channel = models.CharField(max_length=10, choices=Channel)
    state = models.CharField(max_length=10, choices=State)
    source = models.CharField(max_length=100, help_text="Where it was given or withdrawn.")
    proof = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "channel"], name="consent_once_per_channel")]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_state_display()}"


class Order(models.Model):
    """A purchase, or a credit note (cancelled, its amount negative). Orders without a customer are kept as such."""

    class State(models.TextChoices):
        COMPLETED = "completed", "Completed"
        CANCELLED = "cancelled", "Cancelled"
        REFUNDED = "refunded", "Refunded"

    external_id = models.CharField(max_length=200, unique=True, db_collation="C")
    customer = models.ForeignKey(Customer, models.CASCADE, null=True, blank=True, related_name="orders", db_index=False)
    ordered_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.COMPLETED)
    amount = models.DecimalField(max_digits=18, decimal_places=4, default=0)
    refunded = models.DecimalField(max_digits=18, decimal_places=4, default=0, help_text="Part given back.")
    currency = models.CharField(max_length=3)
    net = models.GeneratedField(
        expression=F("amount") - F("refunded"),
        output_field=models.DecimalField(max_digits=18, decimal_places=4),
        db_persist=True,
    )
    source = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["customer", "ordered_at"], name="order_by_customer"),
            models.Index(fields=["ordered_at"], name="order_by_time"),
            models.Index(fields=["net", "id"], name="order_by_net"),
        ]
        constraints = [models.CheckConstraint(condition=~Q(external_id=""), name="order_has_id")]

    def __str__(self) -> str:
        return self.external_id


class OrderLine(models.Model):
    """One line of an order, at its place in it. A file that brings an order's lines brings all of them."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines", db_index=False)
    position = models.PositiveIntegerField()
    sku = models.CharField(max_length=100, blank=True, db_collation="C")
    description = models.CharField(max_length=500, blank=True)
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    unit_price = models.DecimalField(max_digits=18, decimal_places=4)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="order_line_position")]
        ordering = ["order", "position"]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.description or self.sku}"
