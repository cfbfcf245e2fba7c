"""What a result must keep within and what may be asked for: pure functions, without camera, engine or files."""
