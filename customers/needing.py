"""What this room's rooms tell Today: importing a module registers its needs, and where its tasks are dealt with."""

from customers.cases import needing as cases
from customers.handover import needing as handover
from customers.health import needing as health
from customers.interactions import needing as interactions
from customers.plans import needing as plans
from customers.work import quiet, renewing

__all__ = ["cases", "handover", "health", "interactions", "plans", "quiet", "renewing"]
