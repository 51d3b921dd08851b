"""The fault runner: real members under faults, what clients saw recorded, and that checked."""
