"""The same shop in Flask, as its documentation teaches log-ins, for who asks whether Flask's session is
stateless: in a signed cookie it is the client's, behind an opaque one the server's."""
