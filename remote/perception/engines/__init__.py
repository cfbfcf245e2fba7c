"""Engines: what runs a model. Everything outside of this folder knows only base.Engine."""
