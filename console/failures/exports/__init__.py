"""Failures for other programs: pictures for labelling (COCO), tables (CSV, Parquet), recordings (MCAP)."""
