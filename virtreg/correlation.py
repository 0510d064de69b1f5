"""Which request the running code works for: its id, as logs, upstreams and answers tell it.

It is kept in a context variable. Work that is handed to another thread takes it along by
:func:`carried`, and with it whatever else hosts and tracers keep in theirs.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

from attrs import frozen

P = ParamSpec("P")
T = TypeVar("T")

HEADER: Final = "X-Request-Id"

_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~+/=@:-]{0,127}")
"""Ids that others make: UUIDs, Base64, those of proxies and trace ids. Nothing that could end a
line, begin a field, or be taken for markup."""


@frozen
class Correlation:
    """What is known of the request that is worked for."""

    request_id: str = ""
    began: float = 0.0
    """Seconds since the epoch."""


NONE: Final = Correlation()
"""Nobody's: a thread that works on its own account."""

CURRENT: Final[ContextVar[Correlation]] = ContextVar("virtreg_request", default=NONE)

TRACE: Final[ContextVar[tuple[tuple[str, str], ...]]] = ContextVar("virtreg_trace", default=())
"""Header fields that tell an upstream which trace its part belongs to; empty without tracing."""


def request_id() -> str:
    """Of the request that is worked for; empty for none."""
    return CURRENT.get().request_id


def chosen(told: str | None) -> str:
    """The id of a request: the one its caller gave it where that is sane, else a new one."""
    if told is not None and _SANE.fullmatch(told):
        return told
    return secrets.token_hex(8)


def fields() -> tuple[tuple[str, str], ...]:
    """Header fields that take the request, and its trace, to an upstream."""
    told = request_id()
    return (*(((HEADER, told),) if told else ()), *TRACE.get())


def carried(work: Callable[P, T]) -> Callable[P, T]:
    """``work``, to be called once on another thread and on behalf of this very request."""
    return partial(copy_context().run, work)


class Threads(ThreadPoolExecutor):
    """Threads that go on in the context of whoever submits to them."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        return super().submit(copy_context().run, fn, *args, **kwargs)
