"""What this room's rooms tell Today: importing a module registers its needs."""

from customers.cases import needing as cases
from customers.health import needing as health
from customers.plans import needing as plans
from customers.work import quiet, renewing

__all__ = ["cases", "health", "plans", "quiet", "renewing"]
