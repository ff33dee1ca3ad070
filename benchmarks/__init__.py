"""Side-by-side runs against peers: `make bench` writes README.md and results.json here."""
