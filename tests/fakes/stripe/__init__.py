"""A Stripe of our own: the parts of its API that the hub asks for, on loopback.

`FakeStripe` is a thread; `python -m tests.fakes.stripe --key rk_test_…` is a process.
"""

from tests.fakes.stripe.account import Account, Fault
from tests.fakes.stripe.deliveries import Post
from tests.fakes.stripe.server import FakeStripe
from tests.fakes.stripe.shop import Shop

__all__ = ["Account", "FakeStripe", "Fault", "Post", "Shop"]
