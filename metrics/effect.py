"""What a campaign changed: customers who were assigned to it against those held out as control.

Intention to treat: everybody counts in the arm they were assigned, whether a message reached them or not. A customer
who went through the campaign more than once counts once, from the first time. Each is judged at one fixed horizon, the
campaign's goal days after entering; who has not reached it is left out of both arms. The test of a share is the pooled
z with an unpooled interval, that of money is Welch's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Avg, BooleanField, Case, Count, ExpressionWrapper, F, OuterRef, Q, Subquery, Sum, Value, Variance, When
