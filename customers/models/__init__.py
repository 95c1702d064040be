"""The customer, what they bought and did, what follows from it, and the work on it. One module per noun's family."""

from customers.models.cases import Case
from customers.models.contacts import Contact, ContactConsent
from customers.models.custom import CustomField
from customers.models.duplicates import FormerId, Likeness, MatchKey, Merge, MergedRow, Unmatched
from customers.models.events import Event
from customers.models.facts import CustomerFacts, CustomerMonth, Dirty, FoldedUnder, Stage, StagePeriod, ValueScale
from customers.models.handover import HandedCustomer, HandOver
from customers.models.health import Health, HealthBand, HealthChange, HealthProfile, HealthSettings
from customers.models.imports import Import, ImportChange, ImportExample, ImportKept, ImportMapping, RejectedRow
from customers.models.interactions import Attachment, Interaction, InteractionBefore
from customers.models.plans import Goal, Milestone, PlanLink, SuccessPlan
from customers.models.playbooks import Playbook, PlaybookRun, PlaybookStep, RunStep, Whose
from customers.models.products import Product
from customers.models.records import Channel, Consent, Customer, Order, OrderLine
from customers.models.renewals import Forecast, RenewalForecast
from customers.models.segments import HandChange, HandPick, Segment, SegmentMembership, Verdict
from customers.models.subscriptions import Interval, MovementKind, MrrMovement, Subscription, SubscriptionTerm
from customers.models.tasks import Task
from customers.models.teams import Team
from customers.models.together import ChangedRow, ManyChange

__all__ = [
    "Attachment",
    "Case",
    "ChangedRow",
    "Channel",
    "Consent",
    "Contact",
    "ContactConsent",
    "CustomField",
    "Customer",
    "CustomerFacts",
    "CustomerMonth",
    "Dirty",
    "Event",
    "FoldedUnder",
    "Forecast",
    "FormerId",
    "Goal",
    "HandChange",
    "HandOver",
    "HandPick",
    "HandedCustomer",
    "Health",
    "HealthBand",
    "HealthChange",
    "HealthProfile",
    "HealthSettings",
    "Import",
    "ImportChange",
    "ImportExample",
    "ImportKept",
    "ImportMapping",
    "Interaction",
    "InteractionBefore",
    "Interval",
    "Likeness",
    "ManyChange",
    "MatchKey",
    "Merge",
    "MergedRow",
    "Milestone",
    "MovementKind",
    "MrrMovement",
    "Order",
    "OrderLine",
    "PlanLink",
    "Playbook",
    "PlaybookRun",
    "PlaybookStep",
    "Product",
    "RejectedRow",
    "RenewalForecast",
    "RunStep",
    "Segment",
    "SegmentMembership",
    "Stage",
    "StagePeriod",
    "Subscription",
    "SubscriptionTerm",
    "SuccessPlan",
    "Task",
    "Team",
    "Unmatched",
    "ValueScale",
    "Verdict",
    "Whose",
]
