"""What happens at Stripe has to be asked for."""

from tests.support.deaf import deaf, settings

__all__ = ["deaf", "settings"]
