"""Gene filter and normalizers: counts to log2 expression."""
