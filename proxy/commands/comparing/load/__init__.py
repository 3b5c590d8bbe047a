"""The load: what is asked, and who asks it: wrk where it is installed, or a generator of ours."""
