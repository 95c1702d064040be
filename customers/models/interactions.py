"""Interactions: calls, meetings, mails, chats and notes, as colleagues logged them."""

import uuid

from django.db import models
from django.db.models import Q

from customers.models.contacts import Contact
from customers.models.records import Customer
from retention.common import clock
from retention.common.word_index import word_indexes
from retention.workspace.models import User

#: What an interaction is found by.
INTERACTION_WORDS = ("text", "outcome", "next_step")


class Interaction(models.Model):
    """What was talked about with a customer, or noted about them. Only its author changes it; what stood is kept.

    One from a file has the other system's id as `external_id`; its `source` says who logged it there, and the file.
    """

    class Kind(models.TextChoices):
        CALL = "call", "Call"
        MEETING = "meeting", "Meeting"
        EMAIL = "email", "E-mail"
        CHAT = "chat", "Chat"
        NOTE = "note", "Note"

    class Sentiment(models.TextChoices):
        GOOD = "good", "Good"
        NEUTRAL = "neutral", "Neutral"
        BAD = "bad", "Bad"

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="interactions", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    happened_at = models.DateTimeField()
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="interactions")
    text = models.TextField(max_length=10_000)
    outcome = models.CharField(max_length=200, blank=True)
    sentiment = models.CharField(max_length=10, choices=Sentiment, blank=True)
    next_step = models.CharField(max_length=200, blank=True)
    next_on = models.DateField(null=True, blank=True)
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="interactions")
    api_key = models.CharField(max_length=100, blank=True, db_default="", editable=False)
    external_id = models.CharField(max_length=200, blank=True, db_default="", editable=False, db_collation="C")
    source = models.CharField(max_length=400, blank=True, db_default="", editable=False)
    mentioned = models.ManyToManyField(User, blank=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["customer", "-happened_at", "-id"], name="interaction_by_customer"),
            models.Index(fields=["happened_at"], name="interaction_by_time"),
            *word_indexes("interaction_by_word", *INTERACTION_WORDS),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"], condition=~Q(external_id=""), name="interaction_once_by_external_id"
            ),
            models.CheckConstraint(condition=~Q(text=""), name="interaction_says_something"),
            models.CheckConstraint(
                condition=Q(next_step="", next_on=None) | ~Q(next_step="") & Q(next_on__isnull=False),
                name="interaction_next_step_has_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.text[:60]}"

    @property
    def logged_by(self) -> str:
        """The program that wrote it by its key, in its author's name; else the author, or whom the file names."""
        return f"API key {self.api_key}" if self.api_key else str(self.author or self.source or "Somebody who left")


class InteractionBefore(models.Model):
    """What an interaction said until it was changed, and who changed it."""

    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="before")
    said = models.JSONField()
    changed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    api_key = models.CharField(max_length=100, blank=True, db_default="", editable=False)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-changed_at", "-id"]

    def __str__(self) -> str:
        return str(self.changed_at)

    @property
    def who_changed(self) -> str:
        """As with who logged one: the key by which it was changed, else the person."""
        return f"API key {self.api_key}" if self.api_key else str(self.changed_by or "somebody who left")


class Attachment(models.Model):
    """A file of an interaction. It lies under a random name; `name` is what it was called, `kind` what it holds."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    file = models.FileField(upload_to="attachments/")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name
