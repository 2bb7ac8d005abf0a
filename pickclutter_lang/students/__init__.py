"""Small image models: backbones, heads, and the local aggregation that scores labels."""
