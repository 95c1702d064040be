"""The people at a customer, and what each of them agreed to."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Coalesce, Lower, NullIf

from customers.models.records import Consent, Customer
from retention.common import clock
from retention.common.phone_digits import ending_index
from retention.common.word_index import word_indexes

#: What a contact is found by.
CONTACT_WORDS = ("name", "email", "phone", "role")
#: What a contact goes by, for a list in order.
CALLED = Lower(Coalesce(NullIf("name", Value("")), F("email"), output_field=CharField()))


class Contact(models.Model):
    """Somebody at a customer. Within the customer an e-mail address is one person's.

    Whoever is removed keeps a row, so that removing can be undone and that what they withdrew stays withdrawn when
    they are added again. One at most is the main contact.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="contacts", db_index=False)
    name = models.CharField(max_length=300, blank=True)
    role = models.CharField(max_length=100, blank=True)
    email = models.EmailField("e-mail", blank=True)
    phone = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=10, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    birthday = models.DateField(null=True, blank=True)
    is_main = models.BooleanField("main contact", default=False)
    source = models.CharField(max_length=100, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["customer"], name="contact_by_customer"),
            models.Index(fields=["created_at"], name="contact_by_time"),
            models.Index(Lower("email"), condition=Q(removed_at=None), name="contact_by_email"),
            models.Index(CALLED, "id", condition=Q(removed_at=None), name="contact_by_name"),
            *word_indexes("contact_by_word", *CONTACT_WORDS),
            ending_index("contact_by_phone_end", "phone"),
            GinIndex(fields=["attributes"], opclasses=["jsonb_path_ops"], name="contact_by_attribute"),
        ]
        constraints = [
            models.UniqueConstraint("customer", Lower("email"), condition=~Q(email=""), name="contact_email_once"),
            models.UniqueConstraint(
                fields=["customer"], condition=Q(is_main=True, removed_at=None), name="contact_main_once"
            ),
            models.CheckConstraint(condition=~Q(name="") | ~Q(email=""), name="contact_can_be_told"),
        ]

    def __str__(self) -> str:
        return self.name or self.email


class ContactConsent(models.Model):
    """Whether a contact agreed to be approached on a channel, since when, and what proves it. No row: never asked."""

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        PHONE = "phone", "Phone"
        SMS = "sms", "Text message"
        POST = "post", "Post"

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="consents", db_index=False)
    channel = models.CharField(max_length=10, choices=Channel)
    state = models.CharField(max_length=10, choices=Consent.State)
    source = models.CharField(max_length=100)
    proof = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact", "channel"], name="contact_consent_once_per_channel"),
            models.CheckConstraint(condition=~Q(source=""), name="contact_consent_has_source"),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_state_display()}"
