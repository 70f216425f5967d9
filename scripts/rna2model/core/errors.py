"""Errors a user can act on: shown as text, never as a traceback."""


class InputProblem(Exception):
    """Something the user gave is wrong: the message says what, where, and what to do."""


class ToolFailed(Exception):
    """A program that a script started has failed: the message is its own last sentence."""
