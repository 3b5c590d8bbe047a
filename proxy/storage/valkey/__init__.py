"""The tier that several machines share: stored responses in Valkey, one server or a Cluster of them."""
