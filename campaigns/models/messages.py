"""Messages: PostgreSQL is the queue. A trigger lets a message's state change only along the arrows of DESIGN."""

import uuid

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from campaigns.models.campaigns import EmailStep
from campaigns.models.enrolment import Enrolment
from customers.models import Channel, Customer
from retention.common import clock

# Every index is paid for three times per message, once for each of its moves: there are as few as will do. That of time
# is a summary of blocks, which costs next to nothing; segments ask for what was sent between two instants.
OPEN = ("pending", "claimed", "sending")


class Message(models.Model):
    """One message to one customer. `dedupe_key` is the hash of campaign, step, customer, channel and occurrence.

    An enrolment's messages are found by its customer.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Waiting"
        CLAIMED = "claimed", "Taken up"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Unconfirmed"
        SUPPRESSED = "suppressed", "Suppressed"
        EXPIRED = "expired", "Expired"
        CANCELLED = "cancelled", "Cancelled"

    dedupe_key = models.CharField(max_length=64, db_collation="C")
    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="messages", db_index=False)
    step = models.ForeignKey(EmailStep, models.PROTECT, related_name="messages", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="messages", db_index=False)
    resend_of = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="resends",
        db_index=False,
        help_text="The unconfirmed one it stands for.",
    )
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.EMAIL)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was not sent, in words.")
    due_at = models.DateTimeField(help_text="Not before; moved on by each retry.")
    send_by = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    token = models.UUIDField(null=True, help_text="Who holds the claim.")
    lease_until = models.DateTimeField(null=True)
    address = models.EmailField(blank=True, help_text="Where it went.")
    created_at = models.DateTimeField(default=clock.now)
    settled_at = models.DateTimeField(null=True, help_text="When its state became final.")
    opened_at = models.DateTimeField(null=True)
    clicked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state="pending"), name="message_due"),
            models.Index(fields=["lease_until"], condition=Q(state__in=["claimed", "sending"]), name="message_leased"),
            models.Index(fields=["customer", "-id"], name="message_by_customer"),
            BrinIndex(fields=["settled_at"], name="message_by_time"),
            models.Index(fields=["step", "state"], condition=~Q(state__in=OPEN), name="message_settled"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["dedupe_key"], name="message_once"),
            models.UniqueConstraint(
                fields=["resend_of"], condition=Q(resend_of__isnull=False), name="message_resent_once"
            ),
        ]


class Attempt(models.Model):
    """One time a message was put on the wire: inserted and committed before the wire, its outcome added once after.

    An empty outcome means that the worker never said what came of it. (No foreign key in the database: the one
    statement that inserts attempts takes them from messages, and messages stay.)
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message = models.ForeignKey(Message, models.CASCADE, related_name="tries", db_index=False, db_constraint=False)
    token = models.UUIDField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, blank=True)
    reply_code = models.PositiveSmallIntegerField(null=True)
    reply = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "token"], name="one_attempt_per_claim")]


class ContactSlot(models.Model):
    """One of the messages a customer may get on a channel on one of their days; taken once."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    channel = models.CharField(max_length=10, choices=Channel)
    day = models.DateField(help_text="In the customer's time zone.")
    number = models.PositiveSmallIntegerField()
    message = models.ForeignKey(Message, models.CASCADE, related_name="slots", db_index=False, db_constraint=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "channel", "day", "number"], name="contact_slot_taken_once")
        ]


class Recipient(models.Model):
    """The customer to whom a step goes at an address: the first one. Nobody else gets the step there.

    The row is written before the wire and stays, so that two customers with one address are one person to a campaign.
    """

    step = models.ForeignKey(EmailStep, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    address = models.CharField(max_length=254, db_collation="C", help_text="In small letters.")
    customer = models.ForeignKey(Customer, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["step", "address"], name="step_once_per_address")]


class Link(models.Model):
    """A click target of a step, stored so that a token never carries an address."""

    step = models.ForeignKey(EmailStep, models.CASCADE, related_name="links")
    url = models.URLField(max_length=2_000)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["step", "url"], name="link_once_per_step")]


class Suppression(models.Model):
    """An address that gets nothing any more, whoever it belongs to."""

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
        BOUNCED = "bounced", "Bounced"
        COMPLAINED = "complained", "Complained"
        MANUAL = "manual", "Added by hand"

    channel = models.CharField(max_length=10, choices=Channel)
    address = models.CharField(max_length=254)
    reason = models.CharField(max_length=20, choices=Reason)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint("channel", Lower("address"), name="suppressed_once")]
