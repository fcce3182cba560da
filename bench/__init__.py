"""What the library costs: `python -m bench`. Figures are medians of interleaved runs; only ratios travel well."""
