"""Texts that a shell would run, split or expand if one reached it unquoted. Each would leave a file CANARY behind."""

from hypothesis import strategies as st

COMMAND = "touch CANARY"
PARTS = [
    f"$({COMMAND})",
    f"`{COMMAND}`",
    f"; {COMMAND} ;",
    f"& {COMMAND} &",
    f"| {COMMAND}",
    f"'; {COMMAND} #",
    f'"; {COMMAND} #',
    f"'$({COMMAND})'",
    f'"$({COMMAND})"',
    "$HOME ",
    "\\",
    "*",
    "~",
    "-rf ",
    "%s",
    "样本",
    "é",
    " ",
    "a",
    "#",
    "<x>",
]
LEGAL = 'it\'s $(touch CANARY) `touch CANARY`; touch CANARY & "q" 样本 %s #'  # in a file name, too

texts = st.lists(st.sampled_from(PARTS), min_size=1, max_size=4).map("".join)
lines = texts.map(lambda text: f"a\n{text}\n")
anything = st.one_of(texts, lines, st.text(max_size=30))


def as_file_name(text):
    return text.replace("/", "").strip() or "x"
