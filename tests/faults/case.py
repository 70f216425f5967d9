"""One fault, where it is put, and what must come of it."""

from dataclasses import dataclass
from typing import Any

REFUSED = "refused"  # before any job, with the message
STOPPED = "stopped"  # only the data shows it: the first job that reads them ends with the message
EXCLUDED = "excluded"  # the sample is left out with the message as its reason, the others are as if it were not there
ACCEPTED = "accepted"  # it does not matter: the numbers are those of the undisturbed input
NOTED = "noted"  # the numbers are right, and the message is a flag of the sample or a note in the log
OUTCOMES = (REFUSED, STOPPED, EXCLUDED, ACCEPTED, NOTED)


@dataclass(frozen=True)
class Case:
    """`inject` puts the fault into a sound project (its argument depends on the area)."""

    fault: str
    where: str
    inject: Any
    outcome: str
    message: str = ""
    defect: str = ""  # why it does not end as it should: a strict xfail

    def __post_init__(self):
        assert self.outcome in OUTCOMES and bool(self.message) == (self.outcome != ACCEPTED), self.fault
