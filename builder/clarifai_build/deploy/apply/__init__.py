"""Carrying a plan out: under the lease, step by step, with what a caller asks for."""
