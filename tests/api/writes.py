"""One good request for each operation that writes: what must hold of all of them is tried with these."""

from typing import Any

from tests.addresses import SAMPLES

NUMBER = int(SAMPLES["int"])
#: By the operation: its address and its body.
WRITES: dict[str, tuple[str, Any]] = {
    "post_customers": ("customers/", {"name": "Ada", "custom": {"tier": "gold", "seats": 3}}),
    "patch_one_customer": (f"customers/{NUMBER}/", {"name": "Ada King", "custom": {"tier": None}}),
}
