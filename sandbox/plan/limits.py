"""How much SQL is understood at most: what is above is refused before it can cost time."""

TEXT_BYTES = 64 * 1024
DEPTH = 64
NODES = 5_000
JOINS = 8
IN_LIST = 1_000
NAME_CHARACTERS = 128
OUTPUT_COLUMNS = 500
PLANS_KEPT = 256
