"""The fast lane: answers requests by their bytes, under licences of the engine. It holds no policy."""
