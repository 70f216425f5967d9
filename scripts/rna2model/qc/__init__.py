"""Facts of a sample and the verdict about it; MultiQC."""
