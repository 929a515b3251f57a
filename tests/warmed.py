"""What every process that opens jails would find out anew: found before they are forked."""

from __future__ import annotations

from sandbox.isolation import runtime

runtime.binds()
