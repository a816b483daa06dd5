"""Speed and memory beside hand-written floors: `python -m benchmarks.run`."""
