"""What can go wrong, by what it means for you."""


class OutcryError(Exception):
    """All that this package raises."""


class Garbage(OutcryError):
    """Bytes that are not a message of the protocol."""


class ForeignVersion(OutcryError):
    """A message of another protocol version: this package is too old, or too new."""


class HashMismatch(OutcryError):
    """The state differs from what the publisher says it must be. It has been discarded, and the
    topic joins again if you go on."""


class SequenceWentBack(OutcryError):
    """Within one epoch, the publisher stands before what it had published."""


class RequestRefused(OutcryError):
    """A publisher will not answer what must be asked; `code` says why."""

    def __init__(self, text, code):
        super().__init__(text)
        self.code = code


class OriginRefused(OutcryError):
    """A matcher will not take commands of this origin; `code` says why."""

    def __init__(self, text, code):
        super().__init__(text)
        self.code = code


class HistoryLost(OutcryError):
    """The matcher does not know commands of ours that it had answered: its history was replaced.
    What became of the unanswered ones is unknown; a new Origin may begin a new session."""
