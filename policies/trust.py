"""When an OPA server's answer is believed: our revision, signed with our key, and not too old."""

from __future__ import annotations

import time

from policies.answer import fault
from policies.clock import Clock, ClockWentBack
from policies.decision import Reason
from policies.health import Health
from policies.standing import Standing

AHEAD_MS = 60_000
"""How far ahead of ours the clock of the machine that signs may go."""
HANDOVER_S = 300.0
"""How long the revision before is still believed after a reload, while the server has not fetched the new one."""


class Trust:
    """`key_id`: of the key with which the server must verify bundles. `max_age_s`: since the bundle was signed."""

    def __init__(self, *, revision: str, key_id: str, max_age_s: int, clock: Clock) -> None:
        self.revision = revision
        self._before: str | None = None
        self._before_until_s = 0.0
        self._key_id = key_id
        self._max_age_s = max_age_s
        self._clock = clock

    def expect(self, revision: str) -> None:
        """From now on this revision; the one before too, until the server has the new one, at most HANDOVER_S."""
        if revision != self.revision:
            self._before, self.revision = self.revision, revision
            self._before_until_s = time.monotonic() + HANDOVER_S

    def doubt(self, served: frozenset[str], seen: Standing | None) -> Reason | None:
        """Why an answer under `served` is not believed, or None. `seen`: of the bundle that answered."""
        if not served:
            return fault("policy.undefined")
        if served == {self.revision}:
            self._before = None
        elif served != {self._before} or time.monotonic() > self._before_until_s:
            return fault("policy.stale", served=", ".join(sorted(served)), expected=self.revision)
        if seen is None or {seen.revision} != served or seen.key_id != self._key_id or seen.built_at_ms is None:
            return fault("policy.unsigned", expected=self._key_id)
        try:
            age_s = self._age_s(seen.built_at_ms)
        except ClockWentBack as back:
            return fault("policy.clock_went_back", behind_s=back.behind_ms // 1000)
        if age_s > self._max_age_s:
            return fault("policy.too_old", age_s=age_s, max_age_s=self._max_age_s)
        return None

    def health(self, fault: Reason | None, seen: Standing | None) -> Health:
        """The same, for those who run the service."""
        age_s = None
        if seen is not None and seen.built_at_ms is not None and (fault is None or fault.code == "policy.too_old"):
            age_s = self._age_s(seen.built_at_ms)
        return Health(revision=self.revision, code=fault.code if fault else None, age_s=age_s)

    def _age_s(self, built_at_ms: int) -> int:
        """Raises ClockWentBack, also for a bundle that was signed later than now."""
        age_ms = self._clock.now_ms() - built_at_ms
        if age_ms < -AHEAD_MS:
            raise ClockWentBack(-age_ms)
        return max(age_ms, 0) // 1000
