"""What is told to those who watch: figures for Prometheus, spans for OpenTelemetry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from virtreg.backends.observers.exchanges import ObservedUpstream
from virtreg.config import Config
from virtreg.errors import ConfigError
from virtreg.events import Observer
from virtreg.measuring import Measured, open_figures
from virtreg.protocols import Upstream
from virtreg.wsgi.figures import FiguresPage
from virtreg.wsgi.ledger import Measure

if TYPE_CHECKING:
    from virtreg.backends.observers.metrics.figures import Figures
    from virtreg.backends.observers.tracing import OtlpTracer


@frozen(eq=False)
class Telemetry:
    """Of one process; ``close`` once, after the last request."""

    figures: Figures | None = None
    page: FiguresPage | None = None
    tracer: OtlpTracer | None = None

    @property
    def measure(self) -> Measure | None:
        return None if self.figures is None else self.figures.count

    def sample(self) -> None:
        """To be called once a second."""
        if self.figures is not None:
            self.figures.sample()

    @property
    def observers(self) -> Sequence[Observer]:
        watching: tuple[Figures | OtlpTracer | None, ...] = (self.figures, self.tracer)
        return tuple(each.observe for each in watching if each is not None)

    def observed(self, upstream: Upstream, tell: Observer) -> Upstream:
        """The upstream, with its exchanges told and traced."""
        return ObservedUpstream(upstream, tell, self.tracer)

    def close(self) -> None:
        if self.tracer is not None:
            self.tracer.close()


def open_telemetry(
    config: Config, measured: Callable[[], Measured], clock: Callable[[], float]
) -> Telemetry:
    """``measured`` is called when figures are read, and not before. Raises ConfigError for what
    needs an extra that is not installed."""
    figures = page = tracer = None
    if config.metrics.enabled:
        figures, rendered = open_figures(measured)
        page = FiguresPage.for_peers(
            rendered.render,
            config.metrics.allow,
            config.server.trusted_proxies,
            config.server.allowed_hosts,
        )
    if config.tracing.endpoint:
        tracer = tracer_type().opened(config.tracing.endpoint, config.tracing.ratio, clock)
    return Telemetry(figures, page, tracer)


def tracer_type() -> type[OtlpTracer]:
    """Raises ConfigError where its extra is not installed."""
    try:
        from virtreg.backends.observers.tracing import OtlpTracer
    except ImportError:
        raise ConfigError("tracing.endpoint: needs the extra virtreg[tracing]") from None
    return OtlpTracer
