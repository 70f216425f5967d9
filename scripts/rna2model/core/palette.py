"""Colours that colour-blind readers tell apart (Okabe & Ito 2008), the same in the report and in the pictures of `expression/`."""

BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW, GREY = "#CC79A7", "#56B4E9", "#F0E442", "#999999"

ON_PAGES = [
    BLUE,
    ORANGE,
    GREEN,
    VERMILLION,
    PURPLE,
    SKY,
    GREY,
]  # white or dark: yellow and black would be swallowed
ON_WHITE = [BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, YELLOW, GREY]
