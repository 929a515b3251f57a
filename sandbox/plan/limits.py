"""How much SQL is understood at most: what is above is refused before it can cost time."""

TEXT_BYTES = 64 * 1024
DEPTH = 64
NODES = 5_000
TOKENS = 2 * NODES
"""Words and signs of the text, those in strings and comments too."""
QUERIES = 100
"""SELECTs in one text; also pairs of square brackets: sqlglot takes quadratic time over both."""
READ_AGAIN = 4
"""Times a token may be read again on average: sqlglot guesses and goes back, which doubles with every level of
ROW(…), DATE (…) or ARRAY[…]. Questions that mean something stay below a half."""
FRAMES = 2_500
"""Python frames that reading may take: DEPTH levels need about 30 each."""
JOINS = 40
"""In one text; the widest of TPC-DS has 34."""
IN_LIST = 1_000
STEPS = 1_000
"""Of a recursion: what goes on for longer fails when it runs."""
NAME_CHARACTERS = 128
OUTPUT_COLUMNS = 500
PLANS_KEPT = 256
KEPT_CHARACTERS = 4_000
"""Longer questions are read anew each time: their plans would take too much memory."""
