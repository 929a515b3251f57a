"""Why a caller is not let in."""

from __future__ import annotations

from marketplace.errors import Conflict, Forbidden, NotFound, NotSignedIn, Problem


class NobodyThere(NotFound):
    """Nobody signs in with that address; only whoever keeps the accounts is told so. Params: email."""

    code = "accounts.nobody_there"


class TokenOnPage(NotSignedIn):
    """A program sent a token to a page, which knows sessions only."""

    code = "auth.token_on_page"


class TokenInvalid(NotSignedIn):
    """Not of the form sdl_<prefix>_<secret>, not known, or the secret is wrong: one answer for all three."""

    code = "auth.token_invalid"


class TokenExpired(NotSignedIn):
    code = "auth.token_expired"


class TokenRevoked(NotSignedIn):
    code = "auth.token_revoked"


class SessionExpired(NotSignedIn):
    code = "auth.session_expired"


class PersonInactive(NotSignedIn):
    code = "auth.person_inactive"


class WrongPassword(NotSignedIn):
    """Also the answer for an e-mail that nobody has."""

    code = "auth.wrong_password"


class CurrentPasswordWrong(Forbidden):
    """Whoever changes a password has to know the one until now."""

    code = "auth.current_password"


class TooManyAttempts(Problem):
    status = 429
    code = "auth.too_many_attempts"


class CsrfMissing(Forbidden):
    code = "auth.csrf"


class ScopeMissing(Forbidden):
    code = "auth.scope_missing"


class OrganisationSuspended(Forbidden):
    code = "auth.organisation_suspended"


class EmailTaken(Conflict):
    code = "accounts.email_taken"


class SlugTaken(Conflict):
    code = "accounts.slug_taken"


class LastOperator(Conflict):
    """Nobody would be left who can let anybody in."""

    code = "accounts.last_operator"


class Begun(Conflict):
    """Operators are there: they enter everybody else."""

    code = "accounts.begun"


class NoSuchOperator(Problem):
    """Params: slug, known: short names of the organisations that run the exchange."""

    status = 422
    code = "accounts.no_such_operator"


class OperatorsAtTheMachine(Forbidden):
    """Whoever could make a second operator, or be one, would be both of the two who decide about money."""

    code = "accounts.operators_at_the_machine"


class TooManyTokens(Conflict):
    code = "accounts.too_many_tokens"
