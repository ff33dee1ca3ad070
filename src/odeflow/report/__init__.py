"""Pages and figures: what people look at. Drawn from files of results; nothing is solved here."""
