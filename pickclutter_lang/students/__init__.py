"""Students: small image networks that are distilled from a teacher, with their heads and label encoders."""
