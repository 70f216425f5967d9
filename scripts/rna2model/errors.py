"""Errors a user can act on: shown as text, never as a traceback."""


class InputProblem(Exception):
    """Something the user gave is wrong: the message says what, where, and what to do."""
