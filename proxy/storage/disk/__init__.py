"""The disk tier: stored responses in a folder that all processes of one machine share, on LMDB."""
