"""The parts of :mod:`benchmarks.soak`."""
