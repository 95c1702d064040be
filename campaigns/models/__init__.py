"""Campaigns, who went through them, and the messages they sent."""

from campaigns.models.campaigns import Campaign, EmailStep
from campaigns.models.enrolment import Arm, Enrolment, Refusal
from campaigns.models.messages import Attempt, ContactSlot, Link, Message, Recipient, Suppression

__all__ = [
    "Arm",
    "Attempt",
    "Campaign",
    "ContactSlot",
    "EmailStep",
    "Enrolment",
    "Link",
    "Message",
    "Recipient",
    "Refusal",
    "Suppression",
]
