"""Replicas of the shop, the proxy in front of them, and what may befall them."""
