"""What checks found."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple


class Check(NamedTuple):
    """One check: its name, "passed", "failed" or "skipped", and why."""

    name: str
    outcome: str
    detail: str

    @property
    def passed(self) -> bool:
        """Whether it did not fail."""
        return self.outcome != "failed"


@dataclasses.dataclass(frozen=True)
class CheckReport:
    """What `check_objective` or `check_measure` found; true if nothing failed, and it prints one check a line."""

    objective: str
    checks: tuple[Check, ...]

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return not self.failures

    def __bool__(self) -> bool:
        return self.ok

    def __getitem__(self, name: str) -> Check:
        """Return the check of that name."""
        return next(check for check in self.checks if check.name == name)

    def __str__(self) -> str:
        outcomes = [check.outcome for check in self.checks]
        counts = ", ".join(f"{outcomes.count(each)} {each}" for each in dict.fromkeys(outcomes))
        lines = [f"{check.outcome:7}  {check.name}{': ' * bool(check.detail)}{check.detail}" for check in self.checks]
        return "\n".join([f"{self.objective}: {counts}", *lines])

    def raise_if_failed(self) -> None:
        """Raise an `AssertionError` that tells every failure."""
        if not self.ok:
            raise AssertionError(self._failed())

    def _failed(self) -> str:
        told = [f"  {check.name}: {check.detail}" for check in self.failures]
        return "\n".join([f"{self.objective} fails {len(told)} of {len(self.checks)} checks:", *told])
