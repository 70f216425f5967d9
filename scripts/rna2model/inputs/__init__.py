"""Config and sample sheet: read, completed, or refused with every problem."""
