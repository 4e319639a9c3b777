"""The paper's tables and figures, made again, and what goes past them."""
