"""Protocols, tables beside the paper's figures, and the report."""
