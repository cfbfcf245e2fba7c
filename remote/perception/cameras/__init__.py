"""Cameras: where frames come from. Everything outside of this folder knows only base.Camera and spec.parse_source."""
