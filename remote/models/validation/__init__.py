"""The validation suite: what a bundle must show on the machine that is to run it. Everything that judges is pure."""
