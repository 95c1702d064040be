"""Offers, who may give how much, and what has been given."""

from loyalty.models.authority import Authority, Policy
from loyalty.models.budgets import Budget
from loyalty.models.offers import Kind, Offer, Outcome, Reason

__all__ = ["Authority", "Budget", "Kind", "Offer", "Outcome", "Policy", "Reason"]
