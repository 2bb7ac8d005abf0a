"""The paper's image-classification tables: Tables 1-11 and Figures 1, 2b and 4."""
