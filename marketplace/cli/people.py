"""`sandulieu people begin|operator|password`: on this home's database, for whoever cannot sign in (yet)."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.actions import set_password
from marketplace.accounts.passwords import new_password
from marketplace.accounts.reads import person_by_email
from marketplace.billing.admission import begin_exchange, enter_operator
from marketplace.cli.home_database import in_home_database
from marketplace.config import load


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """people begin, operator, password."""
    verbs = subparsers.add_parser("people").add_subparsers(dest="verb", required=True)
    begin = verbs.add_parser("begin")
    begin.add_argument("email")
    begin.add_argument("--person", required=True, metavar="NAME")
    begin.add_argument("--organisation", required=True, metavar="NAME")
    begin.add_argument("--slug", required=True)
    begin.add_argument("--tax-code")
    begin.set_defaults(func=_begin)
    operator = verbs.add_parser("operator")
    operator.add_argument("email")
    operator.add_argument("--person", required=True, metavar="NAME")
    operator.add_argument("--slug", required=True)
    operator.set_defaults(func=_operator)
    password = verbs.add_parser("password")
    password.add_argument("email")
    password.set_defaults(func=_password)


def _begin(chosen: argparse.Namespace) -> int:
    async def enter(session: AsyncSession) -> str:
        return await begin_exchange(
            session, name=chosen.organisation, slug=chosen.slug, tax_code=chosen.tax_code, email=chosen.email,
            person=chosen.person,
        )  # fmt: skip

    return _told(chosen, enter)


def _operator(chosen: argparse.Namespace) -> int:
    async def enter(session: AsyncSession) -> str:
        return await enter_operator(session, slug=chosen.slug, email=chosen.email, person=chosen.person)

    return _told(chosen, enter)


def _password(chosen: argparse.Namespace) -> int:
    async def reset(session: AsyncSession) -> str:
        password = new_password()
        person_id = await person_by_email(session, chosen.email)
        await set_password(session, person_id=person_id, password=password)
        return password

    return _told(chosen, reset)


def _told(chosen: argparse.Namespace, change: Callable[[AsyncSession], Awaitable[str]]) -> int:
    """The password is told once it stands."""
    password = in_home_database(load(), change)
    if chosen.json:
        print(msgspec.json.encode({"email": chosen.email.strip().lower(), "password": password}).decode())
    else:
        print(f"{chosen.email.strip().lower()}  {password}")
        print("Mật khẩu chỉ hiện một lần; đổi ở trang Tài khoản / shown once; change it on the page Account")
    return 0
