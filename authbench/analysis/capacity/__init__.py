"""From what a request was measured to demand to what many requests a second will need."""
