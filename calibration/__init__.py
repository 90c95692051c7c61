"""Fits the models of own GPUs to published measurements and says how well they do. Not part of the distribution.

``python -m calibration.memory``, ``calibration.training_time`` and ``calibration.serving`` print the coefficients that
``pricing/coefficients/`` holds; ``python -m calibration.report`` prints ``docs/accuracy.md``. The published rows are in
``calibration/rows/``, one source family per column `family`; rows of a `group` are not independent and count once together.
"""
