"""Follow the log of a running job, on this machine or another."""

import os

TAIL = 8192  # bytes at a log's end that are looked at


class Log:
    """New lines of a job's log since this object was made; lines of an earlier attempt are ignored."""

    def __init__(self, path):
        self.path, self.reported = path, None
        self.changed = self._changed()

    def news(self, mark):
        """The last complete line that begins with `mark`, without the mark; None if there is none or it was returned
        before."""
        changed = self._changed()
        if changed == self.changed:
            return None
        self.changed = changed
        lines = self._tail().split("\n")[:-1]  # the last one may still be written
        newest = next((line.removeprefix(mark) for line in reversed(lines) if line.startswith(mark)), None)
        if newest == self.reported:
            return None
        self.reported = newest
        return newest

    def _changed(self):
        try:
            status = os.stat(self.path)
        except OSError:  # not there yet, or a disk that does not answer: no reason to end a run
            return None
        return status.st_mtime_ns, status.st_size

    def _tail(self):
        try:
            with open(self.path, "rb") as file:
                file.seek(max(os.fstat(file.fileno()).st_size - TAIL, 0))
                return file.read().decode(errors="replace")
        except OSError:
            return ""
