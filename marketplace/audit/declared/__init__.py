"""Every event that is ever recorded: a module a part of the market. `registry` loads them all."""
