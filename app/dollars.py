from decimal import Decimal
from typing import Any

from wtforms import DecimalField


class DollarField(DecimalField):
    """An amount that somebody types. What is no whole number of cents is refused, not rounded."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata(valuelist)
        if self.data is not None and self.data.is_finite() and int(self.data.normalize().as_tuple().exponent) < -2:
            raise ValueError("Enter an amount with at most two decimals, like 3.99.")

    @property
    def cents(self) -> int:
        """0 where nothing is entered."""
        return int((self.data or Decimal()) * 100)
