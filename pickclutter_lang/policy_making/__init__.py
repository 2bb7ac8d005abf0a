"""How policies are made: exported from runs, taught objects, exported for use without torch, scored on stores."""
