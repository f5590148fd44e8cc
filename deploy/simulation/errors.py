"""Why a simulation is refused.

::

    InvalidInput
    └── NothingToSimulate    no permit type was in force in these months, or no such office
    Refused
    ├── NotSimulated         the data folder holds something that no simulation made
    ├── AlreadySimulated     this office is in the data folder already
    ├── OtherSimulation      another simulation was interrupted there
    └── NotEmbedded          a server is named, whose data may be somebody's
"""

from __future__ import annotations

from shared.errors import InvalidInput, Refused


class NothingToSimulate(InvalidInput):
    """Nobody could have applied for anything."""

    code = "nothing-to-simulate"
    text = "There is no office {office} with permit types in force before {until}."


class NotSimulated(Refused):
    """Real applications and invented ones must never be mixed."""

    code = "not-simulated"
    text = (
        "The folder {folder} holds data that no simulation made. "
        "Choose a folder of its own: jejak --data FOLDER simulate ..."
    )


class AlreadySimulated(Refused):
    """An office is simulated once in a folder."""

    code = "already-simulated"
    text = "The office {office} is already simulated in {folder}. Choose another folder or office."


class OtherSimulation(Refused):
    """An interrupted simulation comes first."""

    code = "other-simulation"
    text = (
        "A simulation was interrupted in {folder}. Finish it first: jejak simulate {options}; "
        "or choose another folder."
    )


class NotEmbedded(Refused):
    """The settings name a database server or Kafka."""

    code = "not-embedded"
    text = "A simulation writes into a data folder only. Unset JEJAK_POSTGRES, _KURRENT and _KAFKA."
