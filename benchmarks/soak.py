"""``python -m benchmarks.soak``: hours of mixed traffic while things break, and what it costs."""
