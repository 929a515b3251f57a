"""Why a data subject is not let in. None of them repeats what the provider or the browser sent."""

from __future__ import annotations

from marketplace.errors import NotSignedIn, Problem, Unavailable


class SignInNotConfigured(Unavailable):
    """This exchange has no `oidc_issuer`."""

    code = "subject.sign_in_not_configured"


class ProviderUnavailable(Unavailable):
    """The sign-in service does not answer in time, or not as OpenID Connect says."""

    code = "subject.provider_unavailable"


class SignInCancelled(Problem):
    """The person, or the sign-in service, said no."""

    status = 403
    code = "subject.sign_in_cancelled"


class SignInStale(Problem):
    """An answer without the beginning that belongs to it: another browser's, too old, or sent twice."""

    status = 403
    code = "subject.sign_in_stale"


class IdTokenRefused(Problem):
    """The sign-in service answered with something that proves nobody's identity."""

    status = 502
    code = "subject.id_token_refused"


class SubjectSessionEnded(NotSignedIn):
    """Run out, ended, tampered with, or sealed by another key: one answer for all."""

    code = "subject.session_ended"


class SubjectSignInNeeded(NotSignedIn):
    code = "subject.not_signed_in"


class TooManyRequests(Problem):
    status = 429
    code = "subject.too_many_requests"
