"""The log of a job that runs here or on another machine, read while it grows."""

import os

TAIL = 8192  # bytes at a log's end that are looked at


class Log:
    """What a job's log says that is new since this object was made: an earlier attempt may have left its own."""

    def __init__(self, path):
        self.path, self.told = path, None
        self.changed = self._changed()

    def news(self, mark):
        """The last whole line that begins with `mark`, without it; None where it was told before or there is none."""
        changed = self._changed()
        if changed == self.changed:
            return None
        self.changed = changed
        lines = self._tail().split("\n")[:-1]  # the last one may still be written
        found = next((line.removeprefix(mark) for line in reversed(lines) if line.startswith(mark)), None)
        if found == self.told:
            return None
        self.told = found
        return found

    def _changed(self):
        try:
            found = os.stat(self.path)
        except OSError:  # not there yet, or a disk that does not answer: no reason to end a run
            return None
        return found.st_mtime_ns, found.st_size

    def _tail(self):
        try:
            with open(self.path, "rb") as file:
                file.seek(max(os.fstat(file.fileno()).st_size - TAIL, 0))
                return file.read().decode(errors="replace")
        except OSError:
            return ""
